"""Curves over the same steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypedDict

import numpy as np

from data.shapes import finite
from trainer.preview.part import COLOURS, Page, Part, Place, Record, Shown_co

MAX_POINTS = 500
"""Longer curves are thinned to it on disk."""


class CurveRecord(TypedDict):
    kind: str
    caption: str
    series: dict[str, list[tuple[Annotated[float, finite], float | None]]]
    x_label: str
    y_label: str


@dataclass(frozen=True)
class Curve(Part):
    """Named series over the same steps, one value a step; what is not finite leaves a gap.

    The first value stands at `start` on the x axis, each further one `step` on.
    """

    series: Mapping[str, Sequence[float] | np.ndarray]
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    start: float = 0
    step: float = 1

    kind: ClassVar[str] = "curve"
    form: ClassVar[type] = CurveRecord

    def record(self, place: Place) -> dict[str, Any]:
        series = {name: _points(values, self.start, self.step) for name, values in self.series.items()}
        return {"series": series, "x_label": self.x_label, "y_label": self.y_label}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        if not any(finite(value) for points in record["series"].values() for _, value in points):
            return [page.missing("The curve has no finite value.")]
        return [page.lines(record["series"], record["x_label"], record["y_label"], record["caption"] or title)]

    def draw(self, axes: Any) -> None:
        axes.axis("on")
        axes.spines[["top", "right"]].set_visible(False)
        styles = ("-", "--", ":", "-.")
        lines = []
        for i, values in enumerate(self.series.values()):
            places = self.start + self.step * np.arange(len(values))
            lines += axes.plot(places, values, styles[i % len(styles)], color=COLOURS[i % len(COLOURS)], linewidth=1.5)
        axes.set_xlabel(self.x_label, parse_math=False)
        axes.set_ylabel(self.y_label, parse_math=False)
        if self.series:  # lines and names given apart: else Matplotlib leaves out names like _unknown_
            for text in axes.legend(lines, list(self.series), fontsize=8, frameon=False).get_texts():
                text.set_parse_math(False)


def _points(values: Sequence[float] | np.ndarray, start: float, step: float) -> list[list[float | None]]:
    """[x, value] pairs, at most MAX_POINTS of them; None where a value is not finite."""
    thinned = range(0, len(values), math.ceil(len(values) / MAX_POINTS) or 1)
    return [[start + step * i, float(values[i]) if math.isfinite(values[i]) else None] for i in thinned]
