"""Letters in fonts: 26 classes, 28 to 80 pixels; and patterns: grey, 6 classes, 300 x 200 pixels, told by texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.foreign_sets import _drawings as drawings

PATTERNS = ("stripes", "checks", "dots", "rings", "waves", "grain")


def letters(folder: Path, examples: int = 2080) -> None:
    """Unsplit, in class folders."""
    rng = np.random.default_rng(31)
    each = examples // len(drawings.LETTERS)
    made = {
        which: [drawings.letter(which, int(rng.integers(28, 81)), rng) for _ in range(each)]
        for which in drawings.LETTERS
    }
    drawings.into_class_folders(folder, made)


def patterns(folder: Path, examples: int = 900) -> None:
    """Unsplit, in class folders, as they are: any angle, scale, contrast, blur of the light and noise."""
    rng = np.random.default_rng(32)
    each = examples // len(PATTERNS)
    drawings.into_class_folders(folder, {which: [_pattern(which, rng) for _ in range(each)] for which in PATTERNS})


def _pattern(which: str, rng: np.random.Generator, width: int = 300, height: int = 200) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width].astype(float)
    angle, period = rng.uniform(0, np.pi), rng.uniform(14, 40)
    u, v = (x * np.cos(angle) + y * np.sin(angle)) / period, (y * np.cos(angle) - x * np.sin(angle)) / period
    far = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) / period
    turn = 2 * np.pi
    value = {
        "stripes": lambda: np.sign(np.sin(turn * u)),
        "checks": lambda: np.sign(np.sin(turn * u) * np.sin(turn * v)),
        "dots": lambda: np.where((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.08, 1.0, -1.0),
        "rings": lambda: np.sign(np.sin(turn * far)),
        "waves": lambda: np.sign(np.sin(turn * (u + 0.35 * np.sin(turn * v / 2)))),
        "grain": lambda: np.sign(_grain(height, width, period, rng)),
    }[which]()
    contrast, light = rng.uniform(20, 80), rng.uniform(90, 165)
    noisy = light + contrast * value + rng.normal(0, 20, value.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _grain(height: int, width: int, period: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(rng.normal(size=(height, width)), period / 4))


SETS = {"letters": letters, "patterns": patterns}
