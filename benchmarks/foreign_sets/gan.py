"""Shapes: coloured, 32 x 24 pixels, 6 classes; and ten letters in fonts: grey, 40 pixels, without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.foreign_sets import _drawings as drawings


def shapes(folder: Path, examples: int = 3000) -> None:
    """Unsplit, in class folders."""
    rng = np.random.default_rng(3)
    each = examples // len(drawings.SHAPES)
    made = {which: [drawings.shape(which, 32, 24, rng) for _ in range(each)] for which in drawings.SHAPES}
    drawings.into_class_folders(folder, made)


def letters(folder: Path, examples: int = 3000) -> None:
    """`train/` and `eval/`, each a folder of pictures that nobody labelled."""
    rng = np.random.default_rng(4)
    for split, count in (("train", examples), ("eval", examples // 5)):
        (folder / split).mkdir(parents=True)
        for number in range(count):
            picture = drawings.letter(drawings.LETTERS[number % 10], 40, rng).convert("L")
            picture.save(folder / split / f"{number:04}.png")


SETS = {"shapes": shapes, "letters": letters}
