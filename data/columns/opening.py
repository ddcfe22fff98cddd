"""The beginning of a tune, which a person gives to be gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.columns.base import Column, FormField, Value
from data.columns.text import Text
from data.errors import BadValue

ANY = "any"
"""Given as key or metre where it is not to be chosen."""


@dataclass(frozen=True, kw_only=True)
class Opening(Text):
    """Notes and bar lines in ABC, lengths in eighths, in the key and metre that the columns `key` and `metre` say; it
    may be empty. Kept as tokens of `data.media.tunes`, without mode and metre. Features as Text's."""

    min_characters: int = 0
    max_characters: int = 2_000
    key: str
    metre: str

    def reconcile(
        self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]
    ) -> Mapping[str, Value | None]:
        from data.media import abc

        text = _text(features[name])
        if not text.strip():
            return {}
        key, metre = (_text(features.get(column, b"")) for column in (self.key, self.metre))
        if key in ("", ANY) or metre in ("", ANY):
            raise BadValue(f"an opening is read in a key and a metre: give {self.key} and {self.metre} too")
        return self.encode(name, abc.opening(text, key, metre))

    def form(self) -> FormField:
        return FormField(kind="text", multiline=True)


def _text(value: Any) -> str:
    return bytes(value).decode()
