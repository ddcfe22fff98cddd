"""Windows over ordered tables: from rows of measurements to what came before and what came next.

For tasks with Window columns (data.columns). Rows of several series may be mixed, but within a series their times
ascend. A series has one spacing in time: a number of seconds, of working days or of months, whichever most of its rows
are apart. Where a row is missing, or was quarantined, there is a gap, and no window reaches over it.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from data.columns import Ahead, Column, SeriesName, Timestamp, Value, Window
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

Series = tuple[Value | None, ...]
"""What a row's SeriesName columns hold."""

EVAL_SHARE = 5
"""The last of so many parts of the times is for evaluation."""

DAY_SECONDS = 86_400
MAX_HOLIDAYS = 3
"""Working days in a row that may be missing without a gap, as at Christmas and Easter."""
_MIN_WORKING_DAYS = 10
"""Days in a row without a Saturday or Sunday that show a calendar of working days."""


def has_windows(columns: Mapping[str, Column]) -> bool:
    return any(isinstance(column, Window) for column in columns.values())


def time_column(columns: Mapping[str, Column]) -> str:
    """The task's one Timestamp column."""
    [name] = [name for name, column in columns.items() if isinstance(column, Timestamp)]
    return name


def series_columns(columns: Mapping[str, Column]) -> list[str]:
    """The columns that name a row's series."""
    return [name for name, column in columns.items() if isinstance(column, SeriesName)]


def series_of(columns: Mapping[str, Column], row: Mapping[str, Value]) -> Series:
    return tuple(row.get(name) for name in series_columns(columns))


@dataclass(frozen=True)
class Clock:
    """What a first pass over the times of one series tells.

    Attributes:
      spacing: the most frequent difference between rows, in `unit`s; 0 for a single row.
      unit: what the spacing counts. Months are of the calendar (a quarter has 3, a year 12); working days are Monday to
        Friday, and up to `MAX_HOLIDAYS` of them may be missing between two rows.
      eval_from: where the last fifth of the times begins, in seconds.
    """

    spacing: int
    unit: Literal["seconds", "working days", "months"]
    eval_from: int

    def is_step(self, before: int, after: int) -> bool:
        """Whether a row at `after` is the next one of a row at `before`, both in seconds since 1970."""
        import numpy as np

        if self.unit == "seconds":
            return after - before == self.spacing
        first, second = (np.datetime64(seconds, "s") for seconds in (before, after))
        if self.unit == "months":
            months = second.astype("datetime64[M]") - first.astype("datetime64[M]")
            return int(months.astype(int)) == self.spacing
        days = int(np.busday_count(first.astype("datetime64[D]"), second.astype("datetime64[D]")))
        return 1 <= days <= 1 + MAX_HOLIDAYS


def clocks(times: Iterable[tuple[Series, int]]) -> dict[Series, Clock]:
    """Each series' clock. Holds 8 bytes a row."""
    import numpy as np

    by_series: defaultdict[Series, array[int]] = defaultdict(lambda: array("q"))
    for series, time in times:
        by_series[series].append(time)
    return {series: _clock(np.sort(np.frombuffer(seconds, np.int64))) for series, seconds in by_series.items()}


def _clock(ordered: np.ndarray[Any, Any]) -> Clock:
    """Of the times of a series in order, int64 `[rows]`, seconds since 1970."""
    import numpy as np

    eval_from = int(ordered[len(ordered) * (EVAL_SHARE - 1) // EVAL_SHARE])
    spacing, steps = _most_frequent(np.diff(ordered))
    moments = ordered.astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    if spacing == DAY_SECONDS and len(days) >= _MIN_WORKING_DAYS and np.is_busday(days).all():
        return Clock(1, "working days", eval_from)
    months, steps_of_months = _most_frequent(np.diff(moments.astype("datetime64[M]").astype(np.int64)))
    if months >= 1 and steps_of_months > steps:
        return Clock(months, "months", eval_from)
    return Clock(spacing, "seconds", eval_from)


def _most_frequent(differences: np.ndarray[Any, Any]) -> tuple[int, int]:
    """The most frequent value and how often it stands there; 0 and 0 where there is none."""
    import numpy as np

    values, counts = np.unique(differences, return_counts=True)
    return (int(values[counts.argmax()]), int(counts.max())) if len(counts) else (0, 0)


class Windows:
    """Makes windows of rows pushed one by one. Holds as many rows of each series as a window needs."""

    def __init__(self, columns: Mapping[str, Column], clock: Mapping[Series, Clock], with_ahead: bool) -> None:
        self._columns, self._clocks, self._time = columns, clock, time_column(columns)
        self._windows = {name: c for name, c in columns.items() if isinstance(c, Window)}
        self._aheads = {name: c for name, c in columns.items() if isinstance(c, Ahead)} if with_ahead else {}
        self._before = max(column.steps for column in self._windows.values())
        self._after = max((column.steps for column in self._aheads.values()), default=0)
        self._rows: defaultdict[Series, deque[tuple[Any, Mapping[str, Any]]]] = defaultdict(
            lambda: deque(maxlen=self._before + self._after)
        )

    def push(self, place: Any, row: Mapping[str, Value]) -> tuple[Any, dict[str, Value]] | None:
        """The window that this row completes, with the place of its last row; None where it completes none.

        Raises:
          BadValue: the row is not later than the one before it in its series.
        """
        series = series_of(self._columns, row)
        rows = self._rows[series]
        if rows:
            before, now = self._at(rows[-1][1]), self._at(row)
            if now <= before:
                raise BadValue("not later than the row before it; rows of a series must ascend in time")
            if not self._clocks[series].is_step(before, now):
                rows.clear()
        rows.append((place, row))
        return self._window(rows) if len(rows) == self._before + self._after else None

    def last(self) -> Iterable[tuple[Any, dict[str, Value]]]:
        """The latest window of each series that is long enough."""
        for rows in self._rows.values():
            if len(rows) == self._before + self._after:
                yield self._window(rows)

    def _at(self, row: Mapping[str, Any]) -> int:
        return int(row[self._time])

    def _window(self, rows: deque[tuple[Any, Mapping[str, Any]]]) -> tuple[Any, dict[str, Value]]:
        now = self._before - 1
        place, row = rows[now]
        made: dict[str, Value] = dict(row)
        for name, window in self._windows.items():
            made[name] = _joined([rows[i][1][name] for i in range(now - window.steps + 1, now + 1)])
        for name, ahead in self._aheads.items():
            made[name] = rows[now + ahead.steps][1][ahead.of]
        return place, made


def _joined(values: list[Any]) -> Any:
    """The numbers of several rows, of each one or a list, as one list."""
    return [number for value in values for number in (value if isinstance(value, list) else [value])]
