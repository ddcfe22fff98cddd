"""Replies that a data folder brings: what is answered to each intent, and what is asked where a slot is missing.

A table at the top of the folder, `replies.csv` (or `.jsonl`, `.parquet`), with the columns `intent`, `slot` and `text`:

    intent,slot,text
    set_timer,,The timer is set for {minutes} minutes[ in the {area}].
    set_timer,minutes,For how many minutes?
    ,,I did not understand that.

A row without a slot is the reply: `{minutes}` stands for the slot's value, and what is in square brackets is left out
where a slot in it has none. A row with a slot is what is asked where it has none. The row without an intent is what is
said when nothing was understood. Braces and brackets that are meant are written twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import BadValue, DataRefused
from data.folders import tables

FILES = tuple(f"replies{suffix}" for suffix in tables.SUFFIXES)
"""What the table may be called."""

_FIELDS = ("intent", "slot", "text")
_PART = re.compile(r"\[\[|\]\]|\{\{|\}\}|\[|\]|\{[^{}\[\]]*\}|[{}]|[^{}\[\]]+")


@dataclass(frozen=True)
class Piece:
    """A text, or a slot whose value stands there; `option` numbers the brackets around it, 0 for none."""

    text: str
    is_slot: bool
    option: int


@dataclass(frozen=True)
class Reply:
    """What is answered to one intent. `questions`: slot -> what is asked where it has no value, in that order.
    `unknown` is said when nothing was understood; "" where the table does not say."""

    intent: str
    text: str
    questions: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""

    def to_json(self) -> str:
        return json.dumps(
            {"intent": self.intent, "text": self.text, "questions": dict(self.questions), "unknown": self.unknown},
            ensure_ascii=False,
        )

    @classmethod
    def of_json(cls, text: str) -> Reply:
        return cls(**json.loads(text))

    def missing(self, slots: Collection[str]) -> str | None:
        """The first slot that has to be asked for, or None."""
        return next((slot for slot in self.questions if slot not in slots), None)

    def filled(self, slots: Mapping[str, str]) -> str:
        """The text with the slots' values; those that have to be there are."""
        pieces = pieces_of(self.text)
        left_out = {piece.option for piece in pieces if piece.is_slot and piece.option and piece.text not in slots}
        kept = [piece for piece in pieces if piece.option not in left_out]
        return "".join(slots.get(piece.text, "") if piece.is_slot else piece.text for piece in kept).strip()


def pieces_of(template: str) -> list[Piece]:
    """
    Raises:
      BadValue: a brace or bracket is not closed or opened, or brackets stand within brackets.
    """
    pieces, option, options = [], 0, 0
    for part in _PART.findall(template):
        if part == "[":
            if option:
                raise BadValue("[ ] within [ ]")
            options += 1
            option = options
        elif part == "]":
            if not option:
                raise BadValue("a ] that no [ opens; write ]] where it is meant")
            option = 0
        elif part in ("{", "}"):
            raise BadValue(f"a {part} that is alone; write {part * 2} where it is meant")
        elif part.startswith("{") and part != "{{":
            if not part[1:-1].strip():
                raise BadValue("{} names no slot")
            pieces.append(Piece(part[1:-1].strip(), True, option))
        else:
            pieces.append(Piece(part[0] if part in ("[[", "]]", "{{", "}}") else part, False, option))
    if option:
        raise BadValue("a [ that is never closed; write [[ where it is meant")
    return pieces


def read_replies(folder: Path) -> dict[str, Reply] | None:
    """Intent -> reply, of the table in `folder`; None where there is none.

    Raises:
      DataRefused: there are two tables, it lacks a column, or a row is at fault.
    """
    there = [folder / name for name in FILES if (folder / name).is_file()]
    if not there:
        return None
    if len(there) > 1:
        raise DataRefused(f"{folder} holds both {there[0].name} and {there[1].name}", "Keep one of them.")
    [path] = there
    present = tables.column_names(path)
    if lacking := [name for name in ("intent", "text") if name not in present]:
        raise DataRefused(
            f"{path} lacks the column {', '.join(lacking)}", "It needs intent and text; slot is optional."
        )
    texts: dict[str, str] = {}
    questions: dict[str, dict[str, str]] = {}
    for row in tables.rows(path, _FIELDS):
        try:
            _take(row, texts, questions)
        except BadValue as error:
            raise DataRefused(f"{path}, row {row.number}: {error}", "Mend this row, or leave it out.") from None
    unknown = texts.pop("", "")
    for intent in questions:
        if intent not in texts:
            raise DataRefused(
                f"{path}: {intent!r} has questions, and no reply", "Add a row of this intent whose slot is empty."
            )
    found = {intent: Reply(intent, text, questions.get(intent, {}), unknown) for intent, text in texts.items()}
    for reply in found.values():
        _check_places(path, reply)
    return found


def _take(row: tables.Row, texts: dict[str, str], questions: dict[str, dict[str, str]]) -> None:
    if row.reason:
        raise BadValue(row.reason)
    intent, slot, text = (_cell(row.values.get(name)) for name in _FIELDS)
    if not text:
        raise BadValue("no text")
    if slot and not intent:
        raise BadValue("a slot without an intent")
    known = questions.setdefault(intent, {}) if slot else texts
    key = slot or intent
    if key in known:
        raise BadValue(f"a second {'question for the slot ' + repr(slot) if slot else 'reply'} of {intent!r}")
    if not slot:
        pieces_of(text)
    known[key] = text


def _cell(value: Any) -> str:
    if isinstance(value, BadValue):
        raise value
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadValue(f"expected a text, got {value!r}")
    return value.strip()


def _check_places(path: Path, reply: Reply) -> None:
    for piece in pieces_of(reply.text):
        if piece.is_slot and not piece.option and piece.text not in reply.questions:
            raise DataRefused(
                f"{path}: the reply to {reply.intent!r} needs the slot {piece.text!r}, which a text may not have",
                f"Add a row {reply.intent},{piece.text},QUESTION that asks for it, or put it in brackets: "
                f"[{{{piece.text}}}].",
            )
