"""Moments in time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value, real, show
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject

_MONTH = re.compile(r"(\d{4})[-/.](\d{1,2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})[-/ ]?Q([1-4])", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?=$|[T ])", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?)?", re.ASCII)
_LAST_SECOND = 253_402_300_799
"""Of the year 9999. What is larger counts in thousandths of a second, in millionths or in billionths."""

ROW_SECONDS = 10_227 * 86_400
"""What rows without a time are apart: 28 years, after which the calendar repeats itself, so that a row's number is no
hour, no weekday and no season."""


@dataclass(frozen=True)
class RowNumber:
    """Stands for the time of a row of a table that has no times."""

    number: int


@dataclass(frozen=True, kw_only=True)
class Timestamp(Column):
    """A moment: a date, or a date and a time of day. Text without a time zone is taken as it stands.

    Read are ISO 8601 in its extended and its basic form (`2024-01-31T14:00:00+01:00`, `20240131`, `20240131T1400`),
    with `/` or `.` in place of `-`, months (`2024-01`), quarters (`2024Q1`), years (`2024`), and numbers that count
    seconds, milli-, micro- or nanoseconds since 1970. A number that is a date in the basic form, from 1000-01-01 to
    2999-12-31, or a year from 1000 to 2999, is that date: as seconds it would lie in 1970, where nobody has measured.
    Day and month in another order are not guessed at.

    Features: seconds since 1970, int64, and the hour of the day, 0 to 23, as written.
    """

    noun: ClassVar[str] = "time"
    is_time: ClassVar[bool] = True

    def features(self, name: str) -> dict[str, Feature]:
        hour = Feature("int64", minimum=0, maximum=23, optional=self.optional, derived=True)
        return {name: Feature("int64", optional=self.optional), f"{name}_hour": hour}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, RowNumber):
            return {name: value.number * ROW_SECONDS, f"{name}_hour": 0}
        moment = moment_of(value)
        if moment is None:
            raise BadValue(f"expected a time such as 2026-01-31T14:00:00 or 2026-01-31, got {show(value)}")
        return {name: math.floor(moment.timestamp()), f"{name}_hour": moment.hour}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return (samples.FIRST_HOUR + timedelta(hours=subject.hour)).isoformat()


def moment_of(value: Any) -> datetime | None:
    """The moment that a table's value stands for, with a time zone; None where it stands for none."""
    try:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):  # Parquet's date32
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        seconds = real(value)
        if math.isfinite(seconds):
            return _of_number(seconds)
        return _of_text(value.strip()) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def _of_number(number: float) -> datetime:
    if number == int(number):
        digits = str(int(number))
        if len(digits) == 4 and 1000 <= number < 3000:
            return datetime(int(digits), 1, 1, tzinfo=UTC)
        if len(digits) in (8, 12, 14) and (compact := _compact(digits)):
            return compact
    while abs(number) > _LAST_SECOND:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _of_text(text: str) -> datetime:
    if match := _MONTH.fullmatch(text):
        return datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
    if match := _QUARTER.fullmatch(text):
        return datetime(int(match[1]), 3 * int(match[2]) - 2, 1, tzinfo=UTC)
    if compact := _compact(text):
        return compact
    if match := _DAY.match(text):
        text = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}{text[match.end() :]}"
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compact(digits: str) -> datetime | None:
    """A date in ISO 8601's basic form, with or without a time of day."""
    match = _COMPACT.fullmatch(digits)
    if not match or not 1000 <= int(match[1]) < 3000:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
