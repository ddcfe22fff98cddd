"""Sweeps of a lidar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, Value, real, show
from data.columns.vector import listed
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject

UNKNOWN = "unknown"
"""In place of a sweep: there is no lidar, or it was not on."""


@dataclass(frozen=True, kw_only=True)
class Ranges(Column):
    """One sweep of a lidar: distances in metres at even angles from left to right, any number of them, as a list like a
    `Vector`'s. Infinite and not-a-number, as drivers write where no echo came, is as far as `farthest`.

    Feature: float32 `[beams]`. Of more distances the nearest in each of `beams` equal sectors is kept, what a car must
    not overlook; between fewer the rest is interpolated. All 0 where the sweep is `UNKNOWN`.
    """

    noun: ClassVar[str] = "sweep of a lidar"
    beams: int
    farthest: float

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("float32", minimum=0, maximum=self.farthest, optional=self.optional, length=self.beams)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, str) and value == UNKNOWN:
            return {name: [0.0] * self.beams}
        given = listed(value)
        if not given:
            raise BadValue("no distances")
        distances = [self._distance(one) for one in given]
        if not any(distances):
            raise BadValue(f"every distance is 0; leave the sweep away where there is none, or write {UNKNOWN!r}")
        return {name: self._resampled(distances)}

    def _distance(self, given: Any) -> float:
        found = real(given)
        if math.isnan(found) and not (given is None or str(given).strip().lower().lstrip("+-") == "nan"):
            raise BadValue(f"expected distances, got {show(given)}")
        if found < 0:
            raise BadValue(f"{found:g} is no distance: it must be at least 0; write inf where no echo came")
        return self.farthest if math.isnan(found) else min(found, self.farthest)

    def _resampled(self, distances: Sequence[float]) -> list[float]:
        import numpy as np

        if len(distances) > self.beams:
            return [float(min(sector)) for sector in np.array_split(np.asarray(distances), self.beams)]
        places = np.linspace(0, len(distances) - 1, self.beams)
        return [float(one) for one in np.interp(places, np.arange(len(distances)), distances)]

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return () if any(features.get(name, ())) else ("no sweep of a lidar: learnt from without one",)  # type: ignore[arg-type]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[float]:
        """Its shape tells of the subject's kind."""
        import numpy as np

        angles = np.linspace(0, math.pi, self.beams)
        return [float(one) for one in self.farthest * (0.5 + 0.4 * np.cos(angles + subject.kind * 2))]
