"""Named values as bars, such as the probabilities of classes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypedDict

from data.shapes import finite
from trainer.preview.part import COLOURS, Page, Part, Place, Record, Shown_co
from trainer.preview.wording import number


class BarsRecord(TypedDict):
    kind: str
    caption: str
    values: dict[str, Annotated[float, finite]]


@dataclass(frozen=True)
class Bars(Part):
    """Named values ≥ 0, in the order shown. If none is above 1, they are shown as shares."""

    values: Mapping[str, float]
    caption: str = ""

    kind: ClassVar[str] = "bars"
    form: ClassVar[type] = BarsRecord
    room: ClassVar[int] = 0

    def record(self, place: Place) -> dict[str, Any]:
        return {"values": {name: float(value) for name, value in self.values.items()}}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        return [page.bars(shares(record["values"]))]

    def draw(self, axes: Any) -> None:
        axes.axis("on")
        axes.spines[:].set_visible(False)
        values = list(self.values.values())
        full = max([1.0, *values])
        names = [textwrap.shorten(name, 22, placeholder="…") or name[:21] + "…" for name in self.values]
        axes.barh(range(len(values)), values, color=COLOURS[0], height=0.6)
        axes.set_yticks(range(len(values)), names, parse_math=False)
        axes.tick_params(length=0)
        axes.set(xticks=[], xlim=(0, 1.3 * full), ylim=(max(len(values), 3) - 0.4, -0.6))
        for row, value in enumerate(values):
            shown = f"{value:.1%}" if full == 1.0 else f"{value:.4g}"
            axes.text(value + 0.03 * full, row, shown, va="center", fontsize=9)


def shares(values: Mapping[str, float]) -> list[dict[str, Any]]:
    """Each value's length in percent, and as text, a share of 1 unless there are greater ones."""
    full = max([1.0, *values.values()])
    return [
        {"name": name, "length": 100 * value / full, "shown": f"{value:.1%}" if full == 1.0 else number(value)}
        for name, value in values.items()
    ]
