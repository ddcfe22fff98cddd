"""Letters and shapes, 60 to 150 pixels, in the style of drawn patterns in two colours, unsplit; and photographs in the
style of surfaces and of what microscopes and telescopes see, 160 pixels, named by tables."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.foreign_sets import _drawings as drawings
from benchmarks.foreign_sets import transfer_learning

SIDE = 160
CONTENTS = {"train": ("astronaut", "coffee", "stereo_motorcycle"), "eval": ("chelsea", "rocket")}
STYLES = {"train": ("brick", "immunohistochemistry", "hubble_deep_field"), "eval": ("grass", "gravel", "retina")}


def patterns(folder: Path, contents: int = 120, each: int = 5) -> None:
    """`content/` and `style/`, unsplit."""
    rng = np.random.default_rng(11)
    for name in ("content", "style"):
        (folder / name).mkdir()
    for number in range(contents):
        width, height = (int(side) for side in rng.integers(60, 151, 2))
        letter = drawings.LETTERS[number % len(drawings.LETTERS)]
        which = drawings.SHAPES[number % len(drawings.SHAPES)]
        picture = drawings.letter(letter, width, rng) if number % 2 else drawings.shape(which, width, height, rng)
        picture.save(folder / "content" / f"{number:03}.png")
    for which in transfer_learning.TEXTURES:
        for number in range(each):
            coloured(transfer_learning.texture(which, rng), rng).save(folder / "style" / f"{which}-{number}.png")


def coloured(grey: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A grey picture from one colour, where it is black, to another."""
    back, front = (np.array(colour, np.float32) for colour in drawings.colours(rng))
    share = np.asarray(grey, np.float32)[..., None] / 255
    return Image.fromarray(((1 - share) * back + share * front).astype(np.uint8))


def surfaces(folder: Path) -> None:
    """`train/` and `eval/`, each with a table of which a row names a content or a style."""
    from skimage import data

    for split in CONTENTS:
        (folder / split).mkdir()
        rows: list[Sequence[str]] = [("file_name", "style_file_name")]
        for column, names in enumerate((CONTENTS[split], STYLES[split])):
            for name, tile in _tiles({name: _rgb(getattr(data, name)()) for name in names}).items():
                tile.save(folder / split / f"{name}.png")
                rows.append(("", f"{name}.png") if column else (f"{name}.png", ""))
        with (folder / split / "metadata.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)


def _rgb(found: object) -> Image.Image:
    """Of a stereo pair the left picture."""
    return Image.fromarray(np.asarray(found[0] if isinstance(found, tuple) else found)).convert("RGB")


def _tiles(pictures: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    """Of each picture, at most 480 pixels wide and high, tiles side by side, by name."""
    found: dict[str, Image.Image] = {}
    for name, picture in pictures.items():
        picture.thumbnail((3 * SIDE, 3 * SIDE))
        for top in range(0, picture.height - SIDE + 1, SIDE):
            for left in range(0, picture.width - SIDE + 1, SIDE):
                found[f"{name}-{top:03}-{left:03}"] = picture.crop((left, top, left + SIDE, top + SIDE))
    return found


SETS = {"patterns": patterns, "surfaces": surfaces}
