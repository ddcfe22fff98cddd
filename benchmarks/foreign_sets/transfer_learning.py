"""Letters in fonts, a few of each: coloured, 26 classes, 28 to 80 pixels; and textures: grey, drawn by formulas, large,
oblong, without an object to see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.foreign_sets import _drawings as drawings

TEXTURES = ("bricks", "checks", "dots", "rings", "stripes", "waves")
WIDTH, HEIGHT = 240, 150


def letters(folder: Path, each: int = 24) -> None:
    """Unsplit, in class folders."""
    rng = np.random.default_rng(3)
    made = {
        which: [drawings.letter(which, int(rng.integers(28, 81)), rng) for _ in range(each)]
        for which in drawings.LETTERS
    }
    drawings.into_class_folders(folder, made)


def textures(folder: Path, each: int = 60) -> None:
    """Unsplit, in class folders, grey."""
    rng = np.random.default_rng(4)
    drawings.into_class_folders(folder, {which: [texture(which, rng) for _ in range(each)] for which in TEXTURES})


def texture(which: str, rng: np.random.Generator) -> Image.Image:
    """A pattern of a size, a direction, two greys and a grain of chance."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(12, 40)
    u = (x * np.cos(angle) + y * np.sin(angle)) / period + rng.uniform()
    v = (y * np.cos(angle) - x * np.sin(angle)) / period + rng.uniform()
    on = {
        "bricks": lambda: (v % 1 < 0.15) | ((u / 2 + 0.5 * (np.floor(v) % 2)) % 1 < 0.08),
        "checks": lambda: (np.floor(u) + np.floor(v)) % 2 == 0,
        "dots": lambda: (u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.09,
        "rings": lambda: np.hypot(u - u.mean(), v - v.mean()) % 1 < 0.5,
        "stripes": lambda: u % 1 < 0.5,
        "waves": lambda: (u + 0.4 * np.sin(2 * np.pi * v / 2)) % 1 < 0.5,
    }[which]()
    dark, light = np.sort(rng.uniform(20, 235, 2)) + np.array([-15, 15])
    grain = rng.normal(0, rng.uniform(2, 15), (HEIGHT, WIDTH))
    return Image.fromarray((np.where(on, light, dark) + grain).clip(0, 255).astype(np.uint8))


SETS = {"letters": letters, "textures": textures}
