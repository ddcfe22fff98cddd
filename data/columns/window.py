"""Windows over an ordered table, what follows them, and the series that a row belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns.base import Column, Feature, FormField, Value
from data.columns.identifier import Identifier
from data.columns.number import Number
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class SeriesName(Identifier):
    """The series that a row of an ordered table belongs to; empty where the table holds one series.

    Of a task with such a column, tables are read under their owner's names (`data.folders.series`): the name stands in
    a column of that name, in one that a person names, or in all columns of texts that repeat.
    """

    noun: ClassVar[str] = "name of a series"

    def is_missing(self, value: Any) -> bool:
        return value is None

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return {name: b""} if value == "" else super().encode(name, value)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return f"series {subject.kind}"


@dataclass(frozen=True, kw_only=True)
class Window(Number):
    """Of a number column in an ordered table, the last `steps` values up to and including the row's: float32 `[steps]`.

    Values within one table row are numbers; `data.folders.windows` makes them into windows. A task with such columns
    has one Timestamp; rows belong to the series that its SeriesName columns name, if it has any.
    """

    noun: ClassVar[str] = "number"
    steps: int = 24
    width: int = 1

    def features(self, name: str) -> dict[str, Feature]:
        low, high = self.minimum, self.maximum
        length = self.steps * self.width
        return {name: Feature("float32", minimum=low, maximum=high, optional=self.optional, length=length)}

    @property
    def rows_needed(self) -> int:
        return self.steps

    def form(self) -> FormField:
        return FormField(kind="table")  # one row is no window


@dataclass(frozen=True, kw_only=True)
class Companions(Window):
    """What else an ordered table holds beside the Window: its other number columns, in the order of the table.

    float32 `[steps * width]`, the values of one row side by side; of fewer columns the rest is 0.
    """

    noun: ClassVar[str] = "list of numbers"
    width: int = 16

    def is_missing(self, value: Any) -> bool:
        return value is None

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        given = value if isinstance(value, list) else [value]
        if len(given) > self.width:
            raise BadValue(f"expected at most {self.width} numbers, got {len(given)}")
        numbers = [cast(float, super(Companions, self).encode(name, number)[name]) for number in given]
        return {name: [*numbers, *[0.0] * (self.width - len(numbers))]}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> float:
        return float(subject.kind)


@dataclass(frozen=True, kw_only=True)
class Ahead(Column):
    """The value that the Window column `of` has `steps` rows later: a float32 that only training knows.

    It has no column of its own in a table.
    """

    noun: ClassVar[str] = "number"
    in_folder: ClassVar[bool] = False
    in_form: ClassVar[bool] = False
    of: str
    steps: int = 1

    @property
    def rows_ahead(self) -> int:
        return self.steps

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("float32", optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return {name: float(value)}
