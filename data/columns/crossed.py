"""A value from a second set, any of which may stand beside any of the first: what tasks combine at will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value, utf8
from data.columns.of_kind import OfKind

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Crossed(OfKind):
    """One of a second set of pictures, as the style beside a content: a folder holds both sets, and says of none which
    belongs to which.

    `data.folders.crossing` pairs them, within each side of a split, so that neither of a pair in evaluation was met in
    training. In prediction a person gives it. `kind` reads the value. A further feature `NAME_name` is the name of its
    file, by which results may be sliced.
    """

    drawn: ClassVar[bool] = True

    def features(self, name: str) -> dict[str, Feature]:
        return self.kind.features(name) | {f"{name}_name": Feature("bytes", optional=True, derived=True)}

    def named(self, name: str, path: Any) -> dict[str, Value]:
        """The feature that holds the name of a file, without its folders and ending."""
        return {f"{name}_name": utf8(PurePosixPath(str(path)).stem)}

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return self.kind.remarks(name, features)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> Any:
        """Of a kind of another subject, and pale."""
        return samples.png(110 + samples.picture(samples.partner(subject)) // 2)


def crossed(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """Of columns with a Crossed one, the media column of the first set, and that of the second."""
    second = next((name for name, column in columns.items() if isinstance(column, Crossed)), None)
    first = next((name for name, column in columns.items() if column.is_media and not column.drawn), None)
    return None if first is None or second is None else (first, second)
