"""Several texts in one column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, FormField, Value, show, utf8
from data.columns.text import Text
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Texts(Column):
    """A list of texts, as the answers that are right or the turns of a conversation; in CSV written as a JSON array.

    What is no JSON array is read as a text a line. Features: the JSON array, one bytes value, and `NAME_count`.
    """

    noun: ClassVar[str] = "list of texts"
    min_count: int = 1
    max_count: int = 1000
    max_characters: int = 100_000

    def features(self, name: str) -> dict[str, Feature]:
        count = Feature("int64", minimum=self.min_count, maximum=self.max_count, optional=self.optional, derived=True)
        return {name: Feature("bytes", counted=False, optional=self.optional), f"{name}_count": count}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        texts = self.checked(name, value)
        return {name: utf8(json.dumps(texts, ensure_ascii=False)), f"{name}_count": len(texts)}

    def checked(self, name: str, value: Any) -> list[str]:
        """The texts.

        Raises:
          BadValue: it is no list of texts, or there are too few or too many of them.
        """
        texts = _listed(value)
        if not self.min_count <= len(texts) <= self.max_count:
            raise BadValue(f"{len(texts)} texts; must be {self.min_count} to {self.max_count}")
        one = Text(max_characters=self.max_characters)
        for number, text in enumerate(texts, 1):
            try:
                one.encode(name, text)
            except BadValue as error:
                raise BadValue(f"text {number}: {error}") from None
        return texts

    def form(self) -> FormField:
        return FormField(kind="text", multiline=True)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[str]:
        words = subject.text.split()
        return (words * self.min_count)[: max(self.min_count, min(self.max_count, len(words)))]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.splitlines()
        except json.JSONDecodeError as error:
            raise BadValue(f"expected a JSON array of texts: {error.msg} (character {error.pos + 1})") from None
    if not isinstance(value, list):
        raise BadValue(f"expected a list of texts, got {show(value)}")
    return value
