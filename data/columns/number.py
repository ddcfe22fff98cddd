"""Whole and real numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, FormField, Value, bounded, real, show, whole
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Integer(Column):
    """A whole number within bounds."""

    noun: ClassVar[str] = "whole number"
    minimum: int = -(2**63)
    maximum: int = 2**63 - 1

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("int64", minimum=self.minimum, maximum=self.maximum, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = whole(value)
        if number is None:
            raise BadValue(f"expected a whole number, got {show(value)}")
        return {name: bounded(number, self.minimum, self.maximum)}

    def form(self) -> FormField:
        return FormField(kind="number", step=1, **_said_bounds(self))

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> int:
        return max(self.minimum, min(self.maximum, self.minimum * (self.minimum > 0) + subject.kind))


@dataclass(frozen=True, kw_only=True)
class Number(Column):
    """A finite real number within bounds (stored as float32)."""

    noun: ClassVar[str] = "number"
    minimum: float = -3.4e38
    maximum: float = 3.4e38

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("float32", minimum=self.minimum, maximum=self.maximum, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = real(value)
        if not math.isfinite(number):
            raise BadValue(f"expected a finite number, got {show(value)}")
        return {name: bounded(number, self.minimum, self.maximum)}

    def form(self) -> FormField:
        return FormField(kind="number", **_said_bounds(self))

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> float:
        if _said_bounds(self).keys() >= {"minimum", "maximum"}:
            return self.minimum + (self.maximum - self.minimum) * samples.share(subject)
        level = subject.kind + subject.position + math.sin(subject.hour / 4)
        return max(self.minimum, min(self.maximum, level))


def _said_bounds(column: Integer | Number) -> dict[str, Any]:
    """Those that a task has set: the bounds of the type tell a person nothing."""
    known = {"minimum": column.minimum, "maximum": column.maximum}
    return {name: bound for name, bound in known.items() if bound != getattr(type(column), name)}
