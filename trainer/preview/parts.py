"""The parts of a preview: what a person is shown of one example and its prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture it lies on. True ones are drawn dashed, predicted ones solid."""

    left: float
    top: float
    right: float
    bottom: float
    label: str = ""
    truth: bool = False


@dataclass(frozen=True)
class Picture:
    """`content`: an encoded picture, or uint8 pixels `[height, width, 1 | 3 | 4]`.

    `mask`, integers `[rows, columns]` stretched over the picture, tints each region but 0 with a colour of its own.
    """

    content: bytes | np.ndarray
    caption: str = ""
    boxes: Sequence[Box] = ()
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Words:
    """Where two texts of a preview are `compared`, the words in which they differ are marked; those that differ in
    capitals only are not, where both texts say `any_case`."""

    text: str
    caption: str = ""
    compared: bool = False
    any_case: bool = False


@dataclass(frozen=True)
class Bars:
    """Named values ≥ 0, in the order shown. If none is above 1, they are shown as shares."""

    values: Mapping[str, float]
    caption: str = ""


@dataclass(frozen=True)
class Curve:
    """Named series over the same steps, one value a step; what is not finite leaves a gap."""

    series: Mapping[str, Sequence[float] | np.ndarray]
    caption: str = ""
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class Sound:
    """`samples`: float32 `[n]` in -1 to 1; `rate` in Hz."""

    samples: np.ndarray
    rate: int
    caption: str = ""


Part = Picture | Words | Bars | Curve | Sound


@dataclass(frozen=True)
class Preview:
    """`correct` is None where there is no truth to compare with; `slice`: column -> value, as in the metrics."""

    title: str
    correct: bool | None
    slice: Mapping[str, str]
    parts: Sequence[Part]


def as_text(value: Any) -> str:
    """What a person reads of a value of an example or a prediction; texts come as UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)
