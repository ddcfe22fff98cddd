"""Moments in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value, real, show
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Timestamp(Column):
    """A moment: ISO 8601 text, or seconds since 1970. Text without a time zone is taken as it stands.

    Features: seconds since 1970, int64, and the hour of the day, 0 to 23, as written.
    """

    noun: ClassVar[str] = "time"
    is_time: ClassVar[bool] = True

    def features(self, name: str) -> dict[str, Feature]:
        hour = Feature("int64", minimum=0, maximum=23, optional=self.optional, derived=True)
        return {name: Feature("int64", optional=self.optional), f"{name}_hour": hour}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        moment = _moment(value)
        if moment is None:
            raise BadValue(f"expected a time such as 2026-01-31T14:00:00, got {show(value)}")
        return {name: math.floor(moment.timestamp()), f"{name}_hour": moment.hour}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return (samples.FIRST_HOUR + timedelta(hours=subject.hour)).isoformat()


def _moment(value: Any) -> datetime | None:
    seconds = real(value)
    try:
        if math.isfinite(seconds):
            return datetime.fromtimestamp(seconds, UTC)
        if not isinstance(value, (str, datetime)):
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
