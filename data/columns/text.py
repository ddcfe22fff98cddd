"""Texts in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, FormField, Value, show, utf8
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Text(Column):
    """A UTF-8 text; lengths in characters."""

    noun: ClassVar[str] = "text"
    min_characters: int = 1
    max_characters: int = 100_000

    def is_missing(self, value: Any) -> bool:
        return super().is_missing(value) and not (value == "" and self.min_characters == 0)

    def features(self, name: str) -> dict[str, Feature]:
        text = Feature("bytes", counted=False, optional=self.optional)
        low, high = self.min_characters, self.max_characters
        length = Feature("int64", minimum=low, maximum=high, optional=self.optional, derived=True)
        return {name: text, f"{name}_characters": length}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not isinstance(value, str):
            raise BadValue(f"expected a text, got {show(value)}")
        if not self.min_characters <= len(value) <= self.max_characters:
            raise BadValue(f"{len(value)} characters; must be {self.min_characters} to {self.max_characters}")
        return {name: utf8(value), f"{name}_characters": len(value)}

    def form(self) -> FormField:
        return FormField(kind="text", multiline=True)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return subject.text[: self.max_characters]
