"""Values of another kind of column on terms of their own: made of a column, given by a person, of another record."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from data.columns.base import Column, Feature, FormField, Value


@dataclass(frozen=True, kw_only=True)
class OfKind(Column):
    """Base of columns whose values are of another `kind`, which reads them."""

    kind: Column

    @property
    def is_media(self) -> bool:  # type: ignore[override]
        return self.kind.is_media

    @property
    def is_picture(self) -> bool:  # type: ignore[override]
        return self.kind.is_picture

    @property
    def suffixes(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.kind.suffixes

    @property
    def streamed(self) -> bool:  # type: ignore[override]
        return self.kind.streamed

    @property
    def noun(self) -> str:  # type: ignore[override]
        return self.kind.noun

    def as_in(self, folder: Path) -> Self:
        return dataclasses.replace(self, kind=self.kind.as_in(folder))

    def features(self, name: str) -> dict[str, Feature]:
        return self.kind.features(name)

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return self.kind.encode(name, value)

    def reconcile(
        self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]
    ) -> Mapping[str, Value | None]:
        return self.kind.reconcile(name, features, columns)

    def form(self) -> FormField:
        return self.kind.form()
