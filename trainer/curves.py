"""The curves of one training by step: what it told of itself at some hundreds of its steps, evenly spread.

A point of a metric is its mean over the steps since the point before, or since the round began; one of a learning rate
or of the norm of gradients is that of its step. Held-out values stand at the steps at which rounds ended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from data.atomic import write_atomic

FILE = "curves.json"
MAX_POINTS = 1000
"""Where there are more, every second one is dropped, and from then on only half as many are taken."""
DIGITS = 6
"""Of each value on disk."""


class Series(TypedDict):
    """`values`: name -> one value for each of `steps`, None for one that is not finite. `seconds` are those in which
    it trained until then, tracing and validations among them, and without the time in which a training lay still."""

    steps: list[int]
    seconds: list[float]
    values: dict[str, list[float | None]]


class StepCurves(TypedDict):
    """`curves.json`. In `held_out` names are those of `training`, without Keras's `val_`."""

    training: Series
    held_out: Series


class Curves:
    """The points so far, also those of earlier attempts at the same training, which `file` holds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.kept = _read(file)
        self.between = 1
        """Steps that at least lie between two points."""

    @property
    def seconds(self) -> float:
        """When the last point was."""
        last = [seconds for series in self._all() for seconds in series["seconds"][-1:]]
        return max(last, default=0.0)

    def go_back_to(self, step: int) -> None:
        """Drops what lies behind: it is trained once more."""
        for series in self._all():
            _keep(series, [i for i, at in enumerate(series["steps"]) if at <= step])

    def add(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        _add(self.kept["training"], step, seconds, values)
        if _halved(self.kept["training"]):
            self.between *= 2

    def add_held_out(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        _add(self.kept["held_out"], step, seconds, values)
        _halved(self.kept["held_out"])

    def write(self, file: Path | None = None) -> None:
        """To its own file, or to another."""
        write_atomic(file or self._file, json.dumps(self.kept, separators=(",", ":"), allow_nan=False))

    def _all(self) -> tuple[Series, Series]:
        return self.kept["training"], self.kept["held_out"]


def _read(file: Path) -> StepCurves:
    if file.exists():
        found: StepCurves = json.loads(file.read_text(encoding="utf-8"))
        return found
    training, held_out = (Series(steps=[], seconds=[], values={}) for _ in range(2))
    return StepCurves(training=training, held_out=held_out)


def _add(series: Series, step: int, seconds: float, values: Mapping[str, float]) -> None:
    """A name that was not there before, or is not there now, has a gap."""
    before = len(series["steps"])
    series["steps"].append(step)
    series["seconds"].append(round(seconds, 3))
    for name in [*series["values"], *values]:
        points = series["values"].setdefault(name, [None] * before)
        if len(points) == before:
            points.append(_rounded(values.get(name, math.nan)))


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _halved(series: Series) -> bool:
    """Whether it had too many points, of which half are kept, the last one among them."""
    count = len(series["steps"])
    if count <= MAX_POINTS:
        return False
    _keep(series, range((count + 1) % 2, count, 2))
    return True


def _keep(series: Series, places: Sequence[int]) -> None:
    series["steps"] = [series["steps"][i] for i in places]
    series["seconds"] = [series["seconds"][i] for i in places]
    series["values"] = {name: [points[i] for i in places] for name, points in series["values"].items()}
