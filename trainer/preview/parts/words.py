"""A text, in which the words that another text of the preview lacks may be marked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Required, TypedDict

from trainer.preview.differences import differences
from trainer.preview.part import Page, Part, Place, Record, Shown_co

DRAWN_LINES, DRAWN_LETTERS = 14, 40


class WordsRecord(TypedDict, total=False):
    kind: Required[str]
    caption: Required[str]
    text: Required[str]
    compared: bool
    any_case: bool
    marks: list[list[int]]


@dataclass(frozen=True)
class Words(Part):
    """Where two texts of a preview are `compared`, the words in which they differ are marked; those that differ in
    capitals only are not, where both texts say `any_case`. Of any other text `marks` says what is marked: stretches of
    characters, first and behind the last, in order."""

    text: str
    caption: str = ""
    compared: bool = False
    any_case: bool = False
    marks: Sequence[tuple[int, int]] = ()

    kind: ClassVar[str] = "words"
    form: ClassVar[type] = WordsRecord

    def record(self, place: Place) -> dict[str, Any]:
        record = {"text": self.text, "compared": self.compared, "any_case": self.any_case}
        return record | ({"marks": [list(mark) for mark in self.marks]} if self.marks else {})

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        compared = [other for other in others if other["kind"] == cls.kind and other.get("compared")]
        if not record.get("compared") or len(compared) != 1:
            return [page.text(pieces(record["text"], record.get("marks", ())))]
        any_case = bool(record.get("any_case") and compared[0].get("any_case"))
        return [page.text(differences(record["text"], compared[0]["text"], any_case))]

    def draw(self, axes: Any) -> None:
        draw_text(axes, self._drawn)

    @property
    def _drawn(self) -> str:
        """The text, in which brackets mark."""
        return "".join(f"[{piece}]" if marked else piece for piece, marked in pieces(self.text, self.marks))


def draw_text(axes: Any, text: str) -> None:
    """As much of it as there is room for."""
    lines = [line for one in text.splitlines() for line in textwrap.wrap(one, DRAWN_LETTERS) or [""]]
    shown = lines[:DRAWN_LINES] + (["…"] if len(lines) > DRAWN_LINES else [])
    axes.text(0, 1, "\n".join(shown), va="top", fontsize=9, parse_math=False)


def pieces(text: str, marks: Sequence[Sequence[int]]) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is marked."""
    found, done = [], 0
    for first, behind in marks:
        found += [(text[done:first], False), (text[first:behind], True)]
        done = behind
    found.append((text[done:], False))
    return [piece for piece in found if piece[0]] or [("", False)]
