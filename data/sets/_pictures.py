"""Writing labelled pictures as class-named subfolders."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]


def stratified_eval(pixels: Array, labels: Array, num_eval: int) -> Array:
    """Which pictures are for evaluation: bool `[n]` with `num_eval` true, as many of each class as its share.

    Within a class pictures are ordered by the SHA-256 of their pixels, which is as good as shuffled and always the
    same, and the first are taken. Copies within a class have one digest and one rank, so they end up on one side,
    for which `num_eval` may be exceeded.

    Args:
      pixels: uint8 `[n, height, width]`.
      labels: `[n]`.
    """
    digests = [hashlib.sha256(picture.tobytes()).digest() for picture in pixels]
    classes: dict[Any, list[bytes]] = defaultdict(list)
    for label, digest in zip(labels, digests, strict=True):
        classes[label].append(digest)
    depth: dict[tuple[Any, bytes], float] = {}
    for label, members in classes.items():
        for rank, digest in enumerate(sorted(members)):
            depth.setdefault((label, digest), (rank + 0.5) / len(members))
    keys = [(depth[label, digest], digest) for label, digest in zip(labels, digests, strict=True)]
    last = sorted(keys)[num_eval - 1]
    return np.array([key <= last for key in keys])


def write_class_folders(target: Path, pixels: Array, labels: Array) -> None:
    """One PNG per picture: `target/<label>/<number>.png`.

    Args:
      pixels: uint8 `[n, height, width]`, grey.
      labels: `[n]`.
    """
    for label in np.unique(labels):
        (target / str(label)).mkdir(parents=True)
    for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        Image.fromarray(picture).save(target / str(label) / f"{number:05}.png")
