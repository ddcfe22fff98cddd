"""Drawn scenes that two sentences tell of, in COCO's form; and Tux Paint's stamps with their captions in Japanese."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.foreign_sets._drawings import SHAPES, Colour, draw_shape
from data.sets.things import DATA_SET, STAMPS, on_white

WIDTH, HEIGHT = 240, 200
COLOURS: dict[str, Colour] = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (50, 80, 220),
    "yellow": (240, 210, 40),
    "purple": (140, 50, 170),
    "orange": (245, 140, 30),
}
NUMBERS = ("one", "two", "three")
LINE = re.compile(r"^ja\.utf8=\s*(.*\S)", re.MULTILINE)
EVAL_SHARE = 5


def scenes(folder: Path, examples: int = 1500) -> None:
    """Two rows of up to three shapes on a plain ground, 240 x 200 pixels, with two captions: `annotations.json`."""
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(examples):
        picture = Image.new("RGB", (WIDTH, HEIGHT), tuple(rng.integers(225, 256, 3).tolist()))
        above, below = (_row(picture, top, rng) for top in (10, HEIGHT // 2 + 10))
        name = f"{number:04}.jpg"
        picture.save(folder / name, quality=90)
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for caption in (f"{above} above {below}", f"there is {below} below {above}"):
            annotations.append({"id": len(annotations), "image_id": number, "caption": caption})
    document = {"images": images, "annotations": annotations}
    (folder / "annotations.json").write_text(json.dumps(document), encoding="utf-8")


def stamps(folder: Path) -> None:
    """Cut-outs of photographs and drawings, up to 256 pixels, each with what Japanese translators wrote: a row of
    `metadata.csv` for each. Those whose names begin with the same word are on one side."""
    from data.sources.archives import unpack
    from data.sources.fetch import fetch_to_cache

    rows: dict[str, list[tuple[str, str, str]]] = {"train": [], "eval": []}
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(DATA_SET.sources[0][0], Path(scratch), print)
        pictures, texts = Path(scratch, "pictures"), Path(scratch, "texts")
        unpack(archive, pictures, f"{STAMPS}*.png")
        unpack(archive, texts, f"{STAMPS}*.txt")
        for path, caption in _captioned(pictures / STAMPS, texts / STAMPS):
            parts = path.relative_to(pictures / STAMPS).parts
            word = re.split(r"[-_.0-9]", path.stem.lower())[0] or path.stem
            split = "train" if hashlib.sha256(word.encode()).digest()[0] % EVAL_SHARE else "eval"
            (folder / split).mkdir(parents=True, exist_ok=True)
            name = "-".join(parts)
            on_white(path.read_bytes()).save(folder / split / name)
            rows[split].append((name, caption, parts[0]))
    for split, those in rows.items():
        with (folder / split / "metadata.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file_name", "caption", "group"))
            writer.writerows(those)


def _captioned(pictures: Path, texts: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(pictures.rglob("*.png")):
        described = (texts / path.relative_to(pictures)).with_suffix(".txt")
        found = LINE.search(described.read_text(encoding="utf-8", errors="replace")) if described.is_file() else None
        if found:
            yield path, found[1]


def _row(picture: Image.Image, top: int, rng: np.random.Generator) -> str:
    """Draws some shapes of one kind and colour beside each other, and says what they are."""
    count, name = int(rng.integers(1, len(NUMBERS) + 1)), str(rng.choice(list(COLOURS)))
    shape = str(rng.choice(SHAPES))
    side = int(rng.integers(40, 66))
    left = int(rng.integers(5, WIDTH - count * (side + 8) - 4))
    for place in range(count):
        x, y = left + place * (side + 8), top + int(rng.integers(0, 10))
        draw_shape(ImageDraw.Draw(picture), shape, (x, y, x + side, y + side), COLOURS[name])
    plural = "es" if shape == "cross" else "s"
    return f"{NUMBERS[count - 1]} {name} {shape}{plural if count > 1 else ''}"


SETS = {"scenes": scenes, "stamps": stamps}
