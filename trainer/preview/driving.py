"""A drive as pictures: what the camera sees with path, lidar, wheel and pedals drawn, and a lap seen from above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from data.simulators.senses import in_picture
from trainer.preview.part import COLOURS

Array = np.ndarray[Any, Any]

SIDE = 384
"""Pixels of the picture's longer side."""
BOARD = 44
"""Pixels below it, where wheel and pedals are shown."""
PLAN = 0.3
"""Share of the picture that a plan takes where it is not known how the camera stands."""
PLAN_METRES = 30.0
ANSWER, TRUTH, ECHO = COLOURS[0], "#ffffff", "#e8c547"
THROTTLE, BRAKE = COLOURS[2], COLOURS[5]


class Drive(NamedTuple):
    """One moment: `steering` from -1 to 1; `pedals`, throttle and brake, or empty; `path` `[way-points, 2]` in
    metres in the car's frame, or empty."""

    steering: float
    pedals: Sequence[float]
    path: Array


def board(camera: Array, answer: Drive, truth: Drive | None, lidar: Array, from_above: bool) -> Array:
    """What the camera sees, uint8 `[height, width, 3]`, with what a driver says; what is true in white.

    Args:
      lidar: metres from left to right over the half circle ahead; all 0 where there is none.
      from_above: whether the camera is the simulator's, so that places in metres can be drawn into its picture; else
        they stand on a plan of their own.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(camera)
    scale = SIDE / max(image.size)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    image = image.resize(size, Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    place = _in_camera if from_above else _in_plan
    if not from_above and (len(answer.path) or lidar.any()):
        left, top, right, bottom = _plan(size)
        draw.rectangle((left, top, right, bottom), fill="#1b1b1b", outline="#777777")
    if lidar.any():
        angles = np.linspace(np.pi, 0, len(lidar))
        echoes = lidar[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        start = place(np.zeros((1, 2)), size)[0]
        for x, y in place(echoes, size):
            if 0 <= x < size[0] and 0 <= y < size[1]:
                draw.line((*start, x, y), fill=ECHO, width=1)
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=ECHO)
    for drive, colour, width in ((truth, TRUTH, 5), (answer, ANSWER, 3)):
        if drive is not None and len(drive.path):
            points = [tuple(point) for point in place(np.concatenate([np.zeros((1, 2)), drive.path]), size)]
            draw.line(points, fill=colour, width=width)
            for x, y in points[1:]:
                draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)
    whole = Image.new("RGB", (image.width, image.height + BOARD), "#1b1b1b")
    whole.paste(image)
    _draw_controls(ImageDraw.Draw(whole), size, answer, truth)
    return np.asarray(whole)


def _in_camera(places: Array, size: tuple[int, int]) -> Array:
    return np.asarray(in_picture(places) * np.array(size))


def _plan(size: tuple[int, int]) -> tuple[float, float, float, float]:
    side = PLAN * min(size)
    return size[0] - side - 4, 4, size[0] - 4, 4 + side


def _in_plan(places: Array, size: tuple[int, int]) -> Array:
    left, top, right, bottom = _plan(size)
    inside = places.clip([-PLAN_METRES / 2, 0], [PLAN_METRES / 2, PLAN_METRES])
    shares = inside / PLAN_METRES * [1, -1] + [0.5, 1]
    return np.asarray(shares * [right - left, bottom - top] + [left, top])


def _draw_controls(draw: Any, size: tuple[int, int], answer: Drive, truth: Drive | None) -> None:
    """The wheel as a bar to the left or the right of its middle, the pedals as bars beside it."""
    width, top = size[0], size[1]
    middle, reach = 0.35 * width, 0.32 * width
    draw.rectangle((middle - reach, top + 16, middle + reach, top + 30), outline="#777777")
    draw.rectangle(_bar(middle, reach, answer.steering, top), fill=ANSWER)
    if truth is not None and math.isfinite(truth.steering):
        at = middle + reach * truth.steering
        draw.line((at, top + 12, at, top + 34), fill=TRUTH, width=3)
    _draw_words(draw, (middle - reach, top + 1), f"steering {answer.steering:+.2f}")
    for number, (pedal, colour) in enumerate((("throttle", THROTTLE), ("brake", BRAKE))):
        if not len(answer.pedals):
            continue
        left, length = width * (0.72 + 0.14 * number), 0.12 * width
        draw.rectangle((left, top + 16, left + length, top + 30), outline="#777777")
        draw.rectangle((left, top + 16, left + length * answer.pedals[number], top + 30), fill=colour)
        if truth is not None and len(truth.pedals):
            at = left + length * truth.pedals[number]
            draw.line((at, top + 12, at, top + 34), fill=TRUTH, width=3)
        _draw_words(draw, (left, top + 1), pedal)


def _bar(middle: float, reach: float, steering: float, top: int) -> tuple[float, float, float, float]:
    left, right = sorted((middle, middle + reach * steering))
    return left, top + 17, right, top + 29


def _draw_words(draw: Any, place: tuple[float, float], words: str) -> None:
    from PIL import ImageFont

    draw.text(place, words, fill="#dddddd", font=ImageFont.load_default(11))


def lap_from_above(edges: tuple[Array, Array], places: Array, on_road: Array) -> Array:
    """The track between its edges, float64 `[tiles, 2]` each, and the way of a car, `[actions, 2]`: uint8 pixels. Where
    it was off the road the way is marked."""
    from PIL import Image, ImageDraw

    everything = np.concatenate([*edges, places])
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = (SIDE - 16) / float((high - low).max())

    def drawn(points: Array) -> list[tuple[float, float]]:
        moved = (points - low) * scale
        return [(8 + float(x), SIDE - 8 - float(y)) for x, y in moved]

    image = Image.new("RGB", (SIDE, SIDE), "#f4f4f0")
    draw = ImageDraw.Draw(image)
    left, right = (drawn(edge) for edge in edges)
    for number in range(len(left)):
        draw.polygon((left[number - 1], left[number], right[number], right[number - 1]), fill="#c9c9c4")
    way = drawn(places)
    draw.line(way, fill=ANSWER, width=2)
    for (x, y), on in zip(way, on_road, strict=True):
        if not on:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=BRAKE)
    x, y = way[0]
    draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline="#000000", width=2)
    return np.asarray(image)
