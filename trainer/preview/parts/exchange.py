"""A conversation, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypedDict

from trainer.preview.part import Page, Part, Place, Record, Shown_co
from trainer.preview.parts.words import draw_text


class SaidRecord(TypedDict):
    text: str
    answers: bool
    note: str


class ExchangeRecord(TypedDict):
    kind: str
    caption: str
    turns: list[SaidRecord]


@dataclass(frozen=True)
class Said:
    """One turn; `answers`: of the side that the model speaks for; `note`: in small print, who or what it is."""

    text: str
    answers: bool = False
    note: str = ""


@dataclass(frozen=True)
class Exchange(Part):
    """`turns`, the oldest first."""

    turns: Sequence[Said]
    caption: str = ""

    kind: ClassVar[str] = "exchange"
    form: ClassVar[type] = ExchangeRecord

    def record(self, place: Place) -> dict[str, Any]:
        return {"turns": [asdict(turn) for turn in self.turns]}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        return [page.turns(record["turns"], record["caption"] or title)]

    def draw(self, axes: Any) -> None:
        lines = [f"{'←' if turn.answers else '→'} {_noted(turn)}{turn.text}" for turn in self.turns]
        draw_text(axes, "\n".join(lines))


def _noted(turn: Said) -> str:
    return f"({turn.note}) " if turn.note else ""
