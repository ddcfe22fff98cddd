"""Fashion-MNIST's archive as class folders."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from data.sets import fashion_mnist


def idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return gzip.compress(header + values.tobytes())


def test_as_many_of_each_class_are_taken_from_training_and_test_set(tmp_path: Path, monkeypatch: object) -> None:
    generator = np.random.default_rng(0)
    monkeypatch.setattr(fashion_mnist, "SPLITS", {"train": ("train", 40), "eval": ("t10k", 20)})
    sets = {
        name: generator.integers(0, 256, (count, 28, 28), np.uint8) for name, count in (("train", 90), ("t10k", 30))
    }
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        for name, pictures in sets.items():
            labels = (np.arange(len(pictures)) % 10).astype(np.uint8)
            for kind, values in (("images-idx3", pictures), ("labels-idx1", labels)):
                content = idx(values)
                info = tarfile.TarInfo(f"usr/share/datasets/fashion-mnist/{name}-{kind}-ubyte.gz")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    fashion_mnist.prepare([tmp_path / "archive"], tmp_path / "files", fashion_mnist.DATA_SET.sources[0])
    counts = Counter(path.parts[-3:-1] for path in (tmp_path / "files").rglob("*.png"))
    names = fashion_mnist.CLASSES
    assert counts == {("train", name): 4 for name in names} | {("eval", name): 2 for name in names}
    for split, name in (("train", "train"), ("eval", "t10k")):
        coats = {picture.tobytes() for picture in sets[name][names.index("coat") :: 10]}
        for path in (tmp_path / "files" / split / "coat").iterdir():
            with Pillow.open(path) as picture:
                assert picture.tobytes() in coats
