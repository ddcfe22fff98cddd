"""Made-up people: faces drawn in colour from a geometry of their own, and signatures, so that many pictures of each can
be had that differ as pictures of one person do."""

from __future__ import annotations

import colorsys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Array = np.ndarray[Any, Any]


class Face:
    """One made-up person. All that is drawn in the constructor stays; what `picture` draws differs each time."""

    def __init__(self, rng: np.random.Generator) -> None:
        hue, tone = rng.uniform(0.03, 0.1), rng.uniform(0.35, 0.95)
        self.skin = colorsys.hsv_to_rgb(hue, rng.uniform(0.25, 0.6), tone)
        self.hair = colorsys.hsv_to_rgb(rng.uniform(0.02, 0.13), rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.8))
        self.iris = colorsys.hsv_to_rgb(rng.uniform(0.05, 0.65), 0.7, rng.uniform(0.2, 0.7))
        self.width, self.height = rng.uniform(0.26, 0.36), rng.uniform(0.34, 0.44)
        self.apart, self.level = rng.uniform(0.1, 0.17), rng.uniform(-0.1, 0.0)
        self.eye, self.brow = rng.uniform(0.03, 0.055), rng.uniform(0.04, 0.085)
        self.thick, self.slope = rng.uniform(0.01, 0.03), rng.uniform(-0.03, 0.03)
        self.nose, self.nostrils = rng.uniform(0.1, 0.2), rng.uniform(0.02, 0.06)
        self.mouth, self.chin = rng.uniform(0.07, 0.17), rng.uniform(0.2, 0.28)
        self.fringe, self.long = rng.uniform(0.02, 0.2), rng.uniform(-0.1, 0.4)
        self.beard = rng.random() < 0.3

    def picture(self, side: int, rng: np.random.Generator) -> Image.Image:
        """RGB, about `side` pixels: light, ground, place, turn, size, gaze and mouth are of chance."""
        fine = 2 * side  # halved at the end, so that edges are smooth
        ground = tuple(int(part) for part in rng.integers(30, 226, 3))
        canvas = Image.new("RGB", (fine, fine), ground)
        draw = ImageDraw.Draw(canvas)
        gaze, opened = rng.uniform(-0.012, 0.012), rng.uniform(0.004, 0.05)

        def oval(x: float, y: float, width: float, height: float, fill: Any) -> None:
            box = [(0.5 + x - width) * fine, (0.5 + y - height) * fine, (0.5 + x + width) * fine]
            draw.ellipse((*box, (0.5 + y + height) * fine), fill=_rgb(fill))

        oval(0, self.long / 3, self.width * 1.15, self.height * 1.1, self.hair)
        oval(0, 0.03, self.width, self.height, self.skin)
        if self.beard:
            oval(0, 0.26, self.width * 0.75, 0.13, self.hair)
        oval(0, -self.height + self.fringe / 2, self.width * 0.95, self.fringe, self.hair)
        for place in (-1, 1):
            oval(place * self.apart, self.level, self.eye * 1.4, self.eye * 0.8, (1, 1, 1))
            oval(place * self.apart + gaze, self.level, self.eye * 0.7, self.eye * 0.7, self.iris)
            ends = [(place * (self.apart - 0.05), -self.slope), (place * (self.apart + 0.06), self.slope)]
            line = [((0.5 + x) * fine, (0.5 + self.level - self.brow + dy) * fine) for x, dy in ends]
            draw.line(line, fill=_rgb(self.hair), width=max(2, int(self.thick * fine)))
            oval(place * self.nostrils / 2, self.level + self.nose, 0.012, 0.01, _darker(self.skin))
        draw.line(
            [((0.5) * fine, (0.5 + self.level + 0.02) * fine), (0.5 * fine, (0.5 + self.level + self.nose) * fine)],
            fill=_rgb(_darker(self.skin)),
            width=max(2, fine // 90),
        )
        oval(0, self.chin, self.mouth, opened, (0.7, 0.2, 0.25))
        moved = canvas.rotate(
            rng.uniform(-9, 9), Image.Resampling.BILINEAR, translate=_ints(rng, 0.05 * fine), fillcolor=ground
        )
        edge = rng.uniform(0.0, 0.06) * fine
        cut = moved.resize((side, side), Image.Resampling.BILINEAR, box=(edge, edge, fine - edge, fine - edge))
        return _lit(cut, rng)


class Hand:
    """One who signs: strokes that are made alike each time."""

    def __init__(self, rng: np.random.Generator) -> None:
        count = int(rng.integers(5, 9))
        x = np.linspace(0.08, 0.92, count)[:, None] + rng.normal(0, 0.05, (count, 3))
        self.points = np.stack([x, rng.uniform(0.12, 0.88, (count, 3))], axis=-1).reshape(-1, 2)
        self.pen, self.slant = rng.uniform(0.015, 0.05), rng.uniform(-0.25, 0.25)

    def picture(self, side: int, rng: np.random.Generator) -> Image.Image:
        """RGB, twice as wide as high: paper, ink, place, size and the trembling of the hand are of chance."""
        width, height = 2 * side, side
        paper, ink = rng.integers(190, 256, 3), rng.integers(0, 120, 3)
        points = self.points + rng.normal(0, 0.012, self.points.shape)
        points[:, 0] += (self.slant + rng.normal(0, 0.03)) * (0.5 - points[:, 1])
        points = (points - 0.5) * rng.uniform(0.8, 1.0) + 0.5 + rng.uniform(-0.04, 0.04, 2)
        picture = Image.new("RGB", (2 * width, 2 * height), _rgb(paper / 255))
        line = [tuple(point) for point in (_smooth(points) * [2 * width, 2 * height]).tolist()]
        ImageDraw.Draw(picture).line(
            line, fill=_rgb(ink / 255), width=max(2, int(self.pen * 2 * height)), joint="curve"
        )
        return _lit(picture.resize((width, height), Image.Resampling.BILINEAR), rng)


def into_people_folders(folder: Path, pictures: dict[str, list[Image.Image]]) -> None:
    """As Labelled Faces in the Wild: `Ann/Ann_0001.jpg`."""
    for name, those in pictures.items():
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(those, 1):
            picture.save(folder / name / f"{name}_{number:04}.jpg", quality=90)


def names(count: int) -> list[str]:
    """Made-up names, each another."""
    first, second = ("Ba", "Da", "Fe", "Gi", "Ko", "La", "Mi", "No", "Pe", "Ru"), ("bel", "dan", "lis", "mar", "nor")
    last = ("berg", "feld", "mann", "sen", "stad", "wald")
    every = [f"{a}{b}_{a}{c}" for a in first for b in second for c in last]
    return [every[(number * 37) % len(every)] for number in range(count)]


def faces(people: int, each: int, rng: np.random.Generator) -> dict[str, list[Image.Image]]:
    """In colour, 90 to 150 pixels."""
    made = [Face(rng) for _ in range(people)]
    return {
        name: [face.picture(int(rng.integers(90, 151)), rng) for _ in range(each)]
        for name, face in zip(names(people), made, strict=True)
    }


def signatures(people: int, each: int, rng: np.random.Generator) -> dict[str, list[Image.Image]]:
    """Twice as wide as high, 60 to 90 pixels high."""
    made = [Hand(rng) for _ in range(people)]
    return {
        name: [hand.picture(int(rng.integers(60, 91)), rng) for _ in range(each)]
        for name, hand in zip(names(people), made, strict=True)
    }


def _smooth(points: Array) -> Array:
    """A curve through the points (Catmull-Rom), float64 `[n, 2]`."""
    ends = np.concatenate([points[:1], points, points[-1:]])
    share = np.linspace(0, 1, 12, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        cubic = (-a + 3 * b - 3 * c + d) * share**3 + (2 * a - 5 * b + 4 * c - d) * share**2 + (c - a) * share + 2 * b
        pieces.append(cubic / 2)
    return np.concatenate([*pieces, points[-1:]])


def _lit(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Brighter or darker from one side to the other, with noise, sometimes out of focus."""
    blurred = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))
    pixels = np.asarray(blurred, np.float32)
    slope = np.linspace(-1, 1, pixels.shape[1])[None, :, None] * rng.uniform(-0.2, 0.2)
    pixels = pixels * (rng.uniform(0.7, 1.2) + slope) + rng.normal(0, 5, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _ints(rng: np.random.Generator, most: float) -> tuple[int, int]:
    right, down = rng.uniform(-most, most, 2)
    return int(right), int(down)


def _rgb(colour: Any) -> tuple[int, int, int]:
    red, green, blue = (int(255 * part) for part in colour)
    return red, green, blue


def _darker(colour: Any) -> tuple[float, float, float]:
    red, green, blue = (0.7 * part for part in colour)
    return red, green, blue
