"""Windows over an ordered table, and what follows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from data.columns.base import Column, Feature, FormField, Value
from data.columns.number import Number


@dataclass(frozen=True, kw_only=True)
class Window(Number):
    """Of a number column in an ordered table, the last `steps` values up to and including the row's: float32 `[steps]`.

    Values within one table row are numbers; `data.folders.windows` makes them into windows. A task with such columns
    has one Timestamp, and its Labels, if any, name the series that a row belongs to."""

    noun: ClassVar[str] = "number"
    steps: int = 24

    def features(self, name: str) -> dict[str, Feature]:
        low, high = self.minimum, self.maximum
        return {name: Feature("float32", minimum=low, maximum=high, optional=self.optional, length=self.steps)}

    @property
    def rows_needed(self) -> int:
        return self.steps

    def form(self) -> FormField:
        return FormField(kind="table")  # one row is no window


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
