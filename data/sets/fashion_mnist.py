"""Fashion-MNIST: photographs of clothes, shoes and bags, 28x28 grey, ten classes (Xiao, Rasul & Vollgraf 2017).

Of the 60,000 pictures of its training set 10,000 become `train/`, of the 10,000 of its test set 2,000 become `eval/`:
as many of each class, chosen by a hash of the pixels (`_pictures.stratified_eval`), so that they are the same on every
machine.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

CLASSES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
SPLITS = {"train": ("train", 10_000), "eval": ("t10k", 2_000)}
"""Folder -> prefix of the files that it is taken from, and how many pictures of them."""

DATA_SET = DataSet(
    name="fashion_mnist",
    title="Fashion-MNIST, clothes 28x28 grey, 10 classes",
    licence="MIT (Expat)",
    credit="H. Xiao, K. Rasul, R. Vollgraf, Zalando SE; packaged for Debian by Mo Zhou",
    sources=(
        (
            Source(
                client="debian",
                package="dataset-fashion-mnist",
                version="0.0~git20200523.55506a9-1",
                filename="dataset-fashion-mnist_0.0~git20200523.55506a9-1_all.deb",
                sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
                size_bytes=30_900_652,
                holds="12,000 of 70,000 pictures",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/<class>/<number>.png`."""
    import numpy as np

    from data.sets._pictures import stratified_eval, write_class_folders
    from data.sources.archives import unpack

    names = np.array(CLASSES)
    with TemporaryDirectory(dir=target.parent) as unpacked:
        files = {file.name: file for file in unpack(archives[0], Path(unpacked), "*/fashion-mnist/*-ubyte.gz")}
        for split, (prefix, count) in SPLITS.items():
            pixels = read_idx(files[f"{prefix}-images-idx3-ubyte.gz"])
            labels = read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"])
            chosen = stratified_eval(pixels, labels, min(count, len(labels)))
            write_class_folders(target / split, pixels[chosen], names[labels[chosen]])


def read_idx(file: Path) -> Any:
    """The array of an IDX file: two zero bytes, 8 for uint8, the rank, each size as a big-endian int32, the values."""
    import numpy as np

    content = gzip.decompress(file.read_bytes())
    rank = content[3]
    shape = np.frombuffer(content, ">i4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
