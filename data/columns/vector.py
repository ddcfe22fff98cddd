"""Several numbers in one column."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, Value, bounded, real, show
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Vector(Column):
    """`size` finite numbers, as an embedding or the readings of one moment: a list; in CSV JSON, or numbers with commas
    or spaces between them. Feature: float32 `[size]`."""

    noun: ClassVar[str] = "list of numbers"
    size: int
    minimum: float = -3.4e38
    maximum: float = 3.4e38

    def features(self, name: str) -> dict[str, Feature]:
        low, high = self.minimum, self.maximum
        return {name: Feature("float32", minimum=low, maximum=high, optional=self.optional, length=self.size)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        numbers = listed(value)
        if len(numbers) != self.size:
            raise BadValue(f"{len(numbers)} numbers; must be {self.size}")
        found = [real(number) for number in numbers]
        for number, given in zip(found, numbers, strict=True):
            if not math.isfinite(number):
                raise BadValue(f"expected finite numbers, got {show(given)}")
            bounded(number, self.minimum, self.maximum)
        return {name: found}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[float]:
        level = [math.cos(subject.kind + subject.position + place) for place in range(self.size)]
        return [max(self.minimum, min(self.maximum, number)) for number in level]


def listed(value: Any) -> list[Any]:
    """The items of a list as a table holds it. Raises BadValue."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text) if text.startswith("[") else text.replace(",", " ").split()
        except json.JSONDecodeError:
            raise BadValue(f"expected a list of numbers, got {show(value)}") from None
    if not isinstance(value, (list, tuple)):
        raise BadValue(f"expected a list of numbers, got {show(value)}")
    return list(value)
