"""Shapes on noise, whose masks are in colours of their own; cells in grey, masks black and white; glyphs as COCO has
them.

None is like the default set in size, number of classes, or the form of its masks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.foreign_sets import _drawings as drawings

OWN_COLOURS = ((255, 255, 255), (250, 50, 50), (50, 250, 50), (50, 50, 250), (250, 250, 50), (250, 50, 250), (9, 9, 9))
"""Of the background and of each shape."""


def shapes(folder: Path, examples: int = 500) -> None:
    """Unsplit: `images/`, `masks/` in colours, `classes.txt` that names them. 6 classes, 200 x 96 pixels."""
    rng = np.random.default_rng(21)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    lines = (
        f"{name} {red} {green} {blue}"
        for name, (red, green, blue) in zip(("background", *drawings.SHAPES), OWN_COLOURS, strict=True)
    )
    (folder / "classes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for number in range(examples):
        back = tuple(rng.integers(0, 256, 3).tolist())
        picture, mask = Image.new("RGB", (200, 96), back), Image.new("RGB", (200, 96), OWN_COLOURS[0])
        for place in rng.permutation(3)[: rng.integers(1, 4)]:
            which, side = int(rng.integers(len(drawings.SHAPES))), rng.uniform(30, 62)
            left, top = 66 * place + rng.uniform(0, 66 - side), rng.uniform(0, 96 - side)
            box = (left, top, left + side, top + side)
            drawings.draw_shape(ImageDraw.Draw(picture), drawings.SHAPES[which], box, _apart(back, rng))
            drawings.draw_shape(ImageDraw.Draw(mask), drawings.SHAPES[which], box, OWN_COLOURS[1 + which])
        noisy = np.asarray(picture, np.float32) + rng.normal(0, 15, (96, 200, 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{number:04}.png")
        mask.save(folder / "masks" / f"{number:04}.png")


def _apart(back: tuple[int, ...], rng: np.random.Generator) -> drawings.Colour:
    """A colour that can be told from the background."""
    while True:
        red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
        if max(abs(one - other) for one, other in zip((red, green, blue), back, strict=True)) > 80:
            return red, green, blue


def cells(folder: Path) -> None:
    """`train/` and `eval/`: cells under a microscope that lights unevenly, grey, of several sizes. Half of all round
    things are rings, which are no cells, so that brightness alone does not tell."""
    rng = np.random.default_rng(22)
    for split, count in (("train", 240), ("eval", 60)):
        for name in ("images", "masks"):
            (folder / split / name).mkdir(parents=True)
        for number in range(count):
            picture, mask = _microscope(int(rng.integers(120, 200)), int(rng.integers(120, 200)), rng)
            picture.save(folder / split / "images" / f"{number:04}.jpg", quality=90)
            mask.save(folder / split / "masks" / f"{number:04}.png")


def _microscope(width: int, height: int, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    picture, mask = Image.new("L", (width, height), 110), Image.new("L", (width, height), 0)
    on_picture, on_mask = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    for x, y in ((x, y) for x in range(0, width - 39, 40) for y in range(0, height - 39, 40) if rng.random() < 0.7):
        across, down = rng.uniform(14, 36, 2)
        left, top = x + rng.uniform(0, 39 - across), y + rng.uniform(0, 39 - down)
        box, shade = (left, top, left + across, top + down), int(rng.integers(150, 220))
        if rng.random() < 0.5:
            on_picture.ellipse(box, fill=shade)
            on_mask.ellipse(box, fill=255)
        else:
            on_picture.ellipse(box, outline=shade, width=4)
    light = (
        rng.uniform(-50, 50) * np.linspace(-1, 1, width) + rng.uniform(-50, 50) * np.linspace(-1, 1, height)[:, None]
    )
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), np.float32)
    noisy = blurred + light + rng.normal(0, 8, (height, width))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), mask


def glyphs(folder: Path) -> None:
    """COCO's form in `train/` and `eval/`: up to 6 of 4 letters on a page, 240 x 240 pixels, as run lengths."""
    rng = np.random.default_rng(23)
    for split, count in (("train", 300), ("eval", 60)):
        (folder / split).mkdir(parents=True)
        document: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
        document["categories"] = [{"id": 10 * n, "name": letter} for n, letter in enumerate("ABEX", 1)]
        for number in range(count):
            name = f"{number:04}.png"
            page = Image.new("RGB", (240, 240), _rgb(rng.integers(170, 256, 3)))
            for place in rng.permutation(9)[: rng.integers(1, 7)]:
                which = int(rng.integers(4))
                covered = _letter("ABEX"[which], 80 * (place % 3), 80 * (place // 3), rng)
                page.paste(_rgb(rng.integers(0, 120, 3)), mask=covered)
                object_ = {"image_id": number, "category_id": 10 * (which + 1), "bbox": [0, 0, 1, 1], "iscrowd": 0}
                document["annotations"].append(object_ | {"segmentation": _run_lengths(covered)})
            page.save(folder / split / name)
            document["images"].append({"id": number, "file_name": name, "width": 240, "height": 240})
        (folder / split / "annotations.json").write_text(json.dumps(document), encoding="utf-8")


def _rgb(values: np.ndarray) -> drawings.Colour:
    red, green, blue = values.tolist()
    return red, green, blue


def _letter(letter: str, left: int, top: int, rng: np.random.Generator) -> Image.Image:
    covered = Image.new("L", (240, 240), 0)
    font = ImageFont.truetype(str(drawings.fonts()[rng.integers(len(drawings.fonts()))]), int(rng.integers(40, 76)))
    ImageDraw.Draw(covered).text((left + 40, top + 40), letter, fill=255, font=font, anchor="mm")
    return covered.point(lambda value: 255 * (value >= 128))


def _run_lengths(covered: Image.Image) -> dict[str, Any]:
    """Uncompressed, down the columns, of what is covered."""
    flat = np.asarray(covered).T.ravel() > 0
    changes = np.flatnonzero(np.diff(np.concatenate([[False], flat, [not flat[-1]]])))
    lengths = np.diff(np.concatenate([[0], changes])).tolist()
    return {"size": [covered.height, covered.width], "counts": lengths}


SETS = {"cells": cells, "glyphs": glyphs, "shapes": shapes}
