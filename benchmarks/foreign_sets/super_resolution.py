"""Drawings in strong colours, 60 to 150 pixels; and surfaces in grey: grass, gravel and bricks, 128 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.foreign_sets import _drawings as drawings


def drawn(folder: Path, examples: int = 400) -> None:
    """Unsplit, a folder of pictures of letters and shapes, each of its own size."""
    rng = np.random.default_rng(5)
    for number in range(examples):
        width, height = (int(side) for side in rng.integers(60, 151, 2))
        letter = drawings.LETTERS[number % len(drawings.LETTERS)]
        which = drawings.SHAPES[number % len(drawings.SHAPES)]
        picture = drawings.letter(letter, width, rng) if number % 2 else drawings.shape(which, width, height, rng)
        picture.save(folder / f"{number:04}.png")


def surfaces(folder: Path) -> None:
    """`train/` and `eval/`, tiles of the upper three quarters and of the lowest one of three grey photographs."""
    from skimage import data

    for name in ("grass", "gravel", "brick"):
        drawings.into_tiles(getattr(data, name)(), 128, folder, name)


SETS = {"drawn": drawn, "surfaces": surfaces}
