"""Another record beside a record, and whether both are of one kind: what tasks that compare two are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, FormField, Value, show, whole
from data.columns.of_kind import OfKind
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Partner(OfKind):
    """What the column `of` is in another record, which this one is compared with.

    A table may give it (`NAME_file_name`, of media). Where a folder does not, `data.folders.pairs` draws the other
    record; in prediction a person gives it. `kind` reads the value.
    """

    drawn: ClassVar[bool] = True
    of: str

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return self.kind.remarks(name, features)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> Any:
        return self.kind.sample(name, samples.partner(subject), rng)


@dataclass(frozen=True, kw_only=True)
class Same(Column):
    """Whether a record and its partner have the same value of `by`: 1 or 0, true or false, same or different.

    A column of this kind makes a task one of pairs: `data.folders.pairs` draws them where a folder gives none. With the
    values of `by` known, here and of the partner, it has to agree with them.
    """

    CLASSES: ClassVar[tuple[str, str]] = ("different", "same")
    drawn: ClassVar[bool] = True
    noun: ClassVar[str] = "1 (the same) or 0 (another)"
    by: str

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("int64", minimum=0, maximum=1)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, bool):
            return {name: int(value)}
        said = value.strip().lower() if isinstance(value, str) else value
        number = _SAID[said] if isinstance(said, str) and said in _SAID else whole(said)
        if number not in (0, 1):
            raise BadValue(f"expected 1 (the same) or 0 (another), got {show(value)}")
        return {name: number}

    def reconcile(self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]) -> Mapping[str, Value]:
        both = features.get(self.by), features.get(partner_of(columns).get(self.by, ""))
        if None not in both and (both[0] == both[1]) != bool(features[name]):
            names = " and ".join(value.decode() for value in both if isinstance(value, bytes))
            raise BadValue(f"said to be {self.CLASSES[int(features[name] == 1)]}, of {names}")
        return {}

    def form(self) -> FormField:
        return FormField(kind="choice", choices=self.CLASSES)

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return [self.CLASSES[int(features[name] == 1)]] if name in features else ()

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> int:
        return int(samples.partner(subject).kind == subject.kind)


_SAID = dict.fromkeys(("true", "yes", "same"), 1) | dict.fromkeys(("false", "no", "different"), 0)


def partner_of(columns: Mapping[str, Column]) -> dict[str, str]:
    """Column -> the column that holds it of the partner."""
    return {column.of: name for name, column in columns.items() if isinstance(column, Partner)}


def sameness(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """Of columns that make pairs, the one that says whether a pair is the same, and the one that it goes by."""
    return next(((name, column.by) for name, column in columns.items() if isinstance(column, Same)), None)
