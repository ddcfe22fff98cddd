"""Columns that no folder holds: what a person may choose at prediction, and what is made of another column."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, FormField, Value
from data.columns.of_kind import OfKind
from data.columns.text import Text

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Given(OfKind):
    """A value of `kind` that a person may give with an example to predict from, as a temperature or a length; else, and
    in training, it is `default`, of media the content of a file."""

    in_folder: ClassVar[bool] = False
    default: Any

    def follows_from(self, columns: Mapping[str, Column]) -> bool:
        return True

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        return self.default_features(name)

    @property
    def stand_in(self) -> Any:
        return self.default

    def form(self) -> FormField:
        return dataclasses.replace(super().form(), default=None if self.is_media else self.default)


@dataclass(frozen=True, kw_only=True)
class Recorded(Given):
    """A value of `kind` that a folder may hold, too, as of a sensor that not every car has: `default` stands in where
    it lacks."""

    in_folder: ClassVar[bool] = True
    may_lack: ClassVar[bool] = True

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> Any:
        return self.kind.sample(name, subject, rng)

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return self.kind.remarks(name, features)


@dataclass(frozen=True, kw_only=True)
class Prefix(Text):
    """The first words of the text `of`, `min_words` to `max_words` as the record's content decides, and never all of
    it; in prediction what a person writes. For tasks that continue a text."""

    in_folder: ClassVar[bool] = False
    of: str
    min_words: int = 1
    max_words: int = 8

    def follows_from(self, columns: Mapping[str, Column]) -> bool:
        return self.of in columns

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        whole = features.get(self.of)
        if not isinstance(whole, bytes):
            return {}
        words = whole.decode().split()
        count = self.min_words + int.from_bytes(digest[:7], "big") % (self.max_words - self.min_words + 1)
        return self.encode(name, " ".join(words[: max(1, min(count, len(words) - 1))]))


@dataclass(frozen=True, kw_only=True)
class Derived(OfKind):
    """A value of `kind` that `how` makes of the column `of`, as a degraded picture that a model learns to mend.

    In prediction a person gives it, and where a folder holds it (`data.folders.layouts.picture_pairs`) it is not made.
    `how` gets the first feature of `of` (of media the content) and a number that follows from the record's content, and
    returns what `kind` encodes. Of several ways by name the number says which; `NAME_by` is then a further feature:
    the way, or GIVEN.
    """

    GIVEN: ClassVar[bytes] = b"given"

    in_folder: ClassVar[bool] = False
    of: str
    how: Callable[[Any, int], Any] | Mapping[str, Callable[[Any, int], Any]]
    pairs: bool = False
    """Whether a folder may hold it beside `of`."""

    def follows_from(self, columns: Mapping[str, Column]) -> bool:
        return self.of in columns

    def features(self, name: str) -> dict[str, Feature]:
        by = {f"{name}_by": Feature("bytes", optional=self.optional, derived=True)}
        return super().features(name) | (by if isinstance(self.how, Mapping) else {})

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return self._encoded(name, value, self.GIVEN)

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        if self.of not in features:
            return {}
        number, way, how = int.from_bytes(digest[:7], "big"), "", self.how
        if isinstance(how, Mapping):
            way = list(how)[number % len(how)]
            how = how[way]
        return self._encoded(name, how(features[self.of], number), way.encode())

    def _encoded(self, name: str, value: Any, by: bytes) -> dict[str, Value]:
        return self.kind.encode(name, value) | ({f"{name}_by": by} if isinstance(self.how, Mapping) else {})
