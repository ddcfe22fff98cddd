"""Excerpts of long texts, for models of language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, Value
from data.columns.document import text_of_file
from data.columns.passage import InFile
from data.columns.samples import WORDS
from data.columns.text import Text

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Excerpt(Text):
    """Up to `characters` characters of a text, which stands in a file of its own or in a table, and of what is before
    them in that text the last `context`, called `NAME_before`.

    `data.folders.excerpts` cuts each text into excerpts without a gap, so that all of it is read once. Characters are
    Unicode code points in NFC. A text of fewer than `min_characters` is bad.
    """

    noun: ClassVar[str] = "text"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    min_characters: int = 64
    max_characters: int = 100_000_000
    characters: int = 192
    context: int = 64

    def names_file(self, value: Any) -> bool:
        return isinstance(value, InFile)

    def features(self, name: str) -> dict[str, Feature]:
        before = Feature("bytes", counted=False, optional=self.optional, derived=True)
        length = Feature("int64", minimum=1, maximum=self.characters, optional=self.optional, derived=True)
        return {name: super().features(name)[name], f"{name}_before": before, f"{name}_characters": length}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        """Of a whole text, which `cut` takes."""
        text = text_of_file(value) if isinstance(value, bytes) else value
        normal = unicodedata.normalize("NFC", text) if isinstance(text, str) else text
        return {name: super().encode(name, normal)[name]}

    def cut(self, name: str, text: bytes) -> Iterator[dict[str, Value]]:
        """The features of each excerpt of a text that `encode` took, in order."""
        characters = text.decode()
        for begin in range(0, len(characters), self.characters):
            here = characters[begin : begin + self.characters]
            before = characters[max(0, begin - self.context) : begin]
            yield {name: here.encode(), f"{name}_before": before.encode(), f"{name}_characters": len(here)}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        """Words in turn, so far apart that their order shows to who remembers more than some characters."""
        words = [WORDS[(subject.kind + i) % len(WORDS)] for i in range(self.characters // 12)]
        return "......".join(words)[: self.characters]


def excerpt_column(columns: Mapping[str, Column]) -> str | None:
    """The task's Excerpt column, if it has one."""
    return next((name for name, column in columns.items() if isinstance(column, Excerpt)), None)
