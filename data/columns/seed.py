"""A number that no folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from data.columns.base import Column, Feature, FormField, Value, show, whole
from data.errors import BadValue


@dataclass(frozen=True, kw_only=True)
class Seed(Column):
    """A number that no folder holds: int64 from the record's content, or given by the person who predicts."""

    noun: ClassVar[str] = "whole number"
    in_folder: ClassVar[bool] = False

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("int64", optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = whole(value)
        if number is None or not -(2**63) <= number < 2**63:
            raise BadValue(f"expected a whole number, got {show(value)}")
        return {name: number}

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        return {name: int.from_bytes(digest[:7], "big")}

    def form(self) -> FormField:
        return FormField(kind="number", step=1)
