"""Letters in fonts: coloured, 26 classes, 28 to 80 pixels; and shapes: 6 classes, oblong, few pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.foreign_sets import _drawings as drawings


def letters(folder: Path, examples: int = 2500) -> None:
    """Unsplit, in class folders."""
    rng = np.random.default_rng(1)
    each = examples // len(drawings.LETTERS)
    made = {
        which: [drawings.letter(which, int(rng.integers(28, 81)), rng) for _ in range(each)]
        for which in drawings.LETTERS
    }
    drawings.into_class_folders(folder, made)


def shapes(folder: Path, examples: int = 600) -> None:
    """Unsplit, in class folders."""
    rng = np.random.default_rng(2)
    each = examples // len(drawings.SHAPES)
    made = {which: [drawings.shape(which, 64, 40, rng) for _ in range(each)] for which in drawings.SHAPES}
    drawings.into_class_folders(folder, made)


SETS = {"letters": letters, "shapes": shapes}
