"""Photographs of what no eye sees; and pairs: grey surfaces, 128 pixels, behind speckles and a veil."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.foreign_sets import _drawings as drawings
from benchmarks.foreign_sets import super_resolution


def specimens(folder: Path) -> None:
    """`train/` and `eval/`, tiles of 128 pixels of the upper three quarters and of the lowest one of three photographs
    in colours of their own: stained tissue through a microscope, a retina, and galaxies through a telescope."""
    from skimage import data

    for name in ("immunohistochemistry", "retina", "hubble_deep_field"):
        drawings.into_tiles(getattr(data, name)(), 128, folder, name)


def speckled(folder: Path) -> None:
    """`train/` and `eval/`, each with `input/` and `target/`: multiplied with noise, and paler by a third."""
    super_resolution.surfaces(folder)
    rng = np.random.default_rng(6)
    for split in ("train", "eval"):
        files = sorted((folder / split).glob("*.png"))
        for kind in ("input", "target"):
            (folder / split / kind).mkdir()
        for file in files:
            pixels = np.asarray(Image.open(file), np.float64)
            poor = 85 + pixels * rng.normal(1, 0.25, pixels.shape) * 2 / 3
            Image.fromarray(poor.clip(0, 255).astype(np.uint8)).save(folder / split / "input" / file.name)
            file.rename(folder / split / "target" / file.name)


SETS = {"specimens": specimens, "speckled": speckled}
