"""Excerpts of long texts: which texts are for evaluation, and the excerpts of each as records.

For tasks with an Excerpt column. All excerpts of a text are on one side, and texts that are the same too; of a single
text the last part is evaluated on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from data.columns import Column, Excerpt, Value, derive, excerpt_column
from data.folders.splits import EVAL_SHARE, about_a_fifth


@dataclass(frozen=True)
class TextSides:
    """Decides the side of each excerpt of an unsplit folder.

    Attributes:
      words: how, for people.
      chosen: the texts for evaluation, by their `text_key`; None where there is one text only, of which the end is.
    """

    words: str
    chosen: frozenset[int] | None

    @classmethod
    def of(cls, sizes: Mapping[int, int]) -> TextSides:
        """Of the characters of each text by its `text_key`."""
        if len(sizes) < 2:
            return cls("one text, the last fifth of it for evaluation", None)
        chosen = about_a_fifth(sizes)
        share = sum(sizes[key] for key in chosen) / sum(sizes.values())
        return cls(f"{len(chosen)} of {len(sizes)} texts for evaluation, {share:.0%} of all", chosen)

    def side(self, key: int, number: int, count: int) -> str:
        """Of excerpt `number` among the `count` of a text."""
        if self.chosen is None:
            return "eval" if number >= count - max(1, count // EVAL_SHARE) else "train"
        return "eval" if key in self.chosen else "train"


def text_key(text: Value) -> int:
    """Equal for equal texts."""
    return int.from_bytes(hashlib.sha256(cast(bytes, text)).digest()[:8], "big")


def sized(texts: Iterable[Value]) -> dict[int, int]:
    """`text_key` -> bytes of that text, all its copies together."""
    sizes: dict[int, int] = {}
    for text in texts:
        key = text_key(text)
        sizes[key] = sizes.get(key, 0) + len(cast(bytes, text))
    return sizes


def excerpts(columns: Mapping[str, Column], features: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The records of one whole text in order, each with what follows from its own excerpt.

    Raises:
      BadColumn: what follows is not of its column's kind.
    """
    name = excerpt_column(columns)
    assert name is not None, "asked of columns without excerpts"
    following = [other for other, column in columns.items() if not column.in_folder]
    found = []
    for cut in cast(Excerpt, columns[name]).cut(name, cast(bytes, features[name])):
        record = {**features, **cut}
        derive(columns, record, following)
        found.append(record)
    return found
