"""Glyphs on a page: 10 classes, 160 x 160 pixels, up to eight; and shapes on noise: 6 classes, oblong, up to three."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.foreign_sets import _drawings as drawings

Draw = Callable[[Image.Image, str, int, int, int, np.random.Generator], tuple[int, int, int, int]]
"""Draws one thing at a place (left, top) and of a side in pixels, and returns its box: left, top, right, bottom."""


def glyphs(folder: Path) -> None:
    _write(folder, drawings.LETTERS[:10], (160, 160), 8, _glyph, np.random.default_rng(5))


def shapes(folder: Path) -> None:
    _write(folder, drawings.SHAPES, (128, 72), 3, _shape, np.random.default_rng(6))


def _write(
    folder: Path, classes: Sequence[str], size: tuple[int, int], most: int, draw: Draw, rng: np.random.Generator
) -> None:
    """`train/` and `eval/` with a `metadata.jsonl` each."""
    for split, count in (("train", 800), ("eval", 160)):
        (folder / split).mkdir(parents=True)
        rows = [json.dumps(_scene(folder / split, n, classes, size, most, draw, rng)) for n in range(count)]
        (folder / split / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _scene(
    folder: Path,
    number: int,
    classes: Sequence[str],
    size: tuple[int, int],
    most: int,
    draw: Draw,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """One picture of things in cells of a grid, so that none hides another, and its row."""
    width, height = size
    noise = rng.integers(0, 256, 3) + rng.normal(0, 10, (height, width, 3))
    picture = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
    cell = min(size) // (3 if most > 3 else 2)
    places = [(x, y) for x in range(0, width - cell + 1, cell) for y in range(0, height - cell + 1, cell)]
    objects = []
    for place in rng.permutation(len(places))[: rng.integers(1, most + 1)]:
        side = int(cell * rng.uniform(0.5, 0.95))
        left, top = (int(at + rng.integers(cell - side + 1)) for at in places[place])
        label = classes[rng.integers(len(classes))]
        x, y, right, bottom = draw(picture, label, left, top, side, rng)
        objects.append({"bbox": [x, y, right - x, bottom - y], "label": label})
    picture.save(folder / f"{number:04}.png")
    return {"file_name": f"{number:04}.png", "objects": objects}


def _glyph(
    picture: Image.Image, label: str, left: int, top: int, side: int, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    font = ImageFont.truetype(str(drawings.fonts()[rng.integers(len(drawings.fonts()))]), side)
    _, front = drawings.colours(rng)
    ink = ImageDraw.Draw(picture)
    x, y, right, bottom = (int(edge) for edge in ink.textbbox((0, 0), label, font=font))
    ink.text((left - x, top - y), label, fill=front, font=font)
    width, height = picture.size
    return left, top, min(left + right - x, width), min(top + bottom - y, height)


def _shape(
    picture: Image.Image, label: str, left: int, top: int, side: int, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    _, front = drawings.colours(rng)
    drawings.draw_shape(ImageDraw.Draw(picture), label, (left, top, left + side, top + side), front)
    return left, top, min(left + side + 1, picture.width), min(top + side + 1, picture.height)


SETS = {"glyphs": glyphs, "shapes": shapes}
