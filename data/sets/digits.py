"""Digits: handwritten digits, 8x8 grey, ten classes; small enough for a test, and on every machine that has Benison.

1,797 pictures whose values 0 to 16 are stretched to 0 to 255. They are laid out without `train/` and `eval/`, so that
they are split as a user's unsplit folder is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="digits",
    title="Handwritten digits, 8x8 grey, 10 classes",
    licence="CC BY 4.0 (the digits); BSD-3-Clause (scikit-learn)",
    credit="E. Alpaydin and C. Kaynak, UCI Machine Learning Repository; packaged by scikit-learn",
    sources=(
        (
            Source(
                client="installed",
                package="scikit-learn",
                version="",
                filename="sklearn/datasets/data/digits.csv.gz",
                sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
                size_bytes=0,
                holds="1,797 digits",
            ),
        ),
    ),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/<digit>/<number>.png`."""
    import numpy as np

    from data.sets._pictures import write_class_folders

    table = np.loadtxt(archives[0], delimiter=",")  # 64 values, then the label
    pixels = np.rint(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    write_class_folders(target, pixels, table[:, -1].astype(int))
