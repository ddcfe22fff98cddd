"""Windows over ordered tables: from rows of measurements to what came before and what came next.

For tasks with Window columns (data.columns). Rows of several series may be mixed, but within a series their times
ascend. A series has one spacing in time, the most frequent difference between its rows; where a row is missing, or was
quarantined, there is a gap, and no window reaches over it.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from data.columns import Ahead, Column, Label, Timestamp, Value, Window
from data.errors import BadValue

Series = tuple[Value | None, ...]
"""A row's Labels, which name the series that it belongs to."""

EVAL_SHARE = 5
"""The last of so many parts of the times is for evaluation."""


def has_windows(columns: Mapping[str, Column]) -> bool:
    return any(isinstance(column, Window) for column in columns.values())


def time_column(columns: Mapping[str, Column]) -> str:
    """The task's one Timestamp column."""
    [name] = [name for name, column in columns.items() if isinstance(column, Timestamp)]
    return name


def series_of(columns: Mapping[str, Column], row: Mapping[str, Value]) -> Series:
    return tuple(row.get(name) for name, column in columns.items() if isinstance(column, Label))


@dataclass(frozen=True)
class Clock:
    """What a first pass over the times of one series tells, all in seconds.

    Attributes:
      spacing: the most frequent difference between rows, 0 for a single row.
      eval_from: where the last fifth of the times begins.
    """

    spacing: int
    eval_from: int


def clocks(times: Iterable[tuple[Series, int]]) -> dict[Series, Clock]:
    """Each series' clock. Holds 8 bytes a row."""
    import numpy as np

    by_series: defaultdict[Series, array[int]] = defaultdict(lambda: array("q"))
    for series, time in times:
        by_series[series].append(time)
    found = {}
    for series, seconds in by_series.items():
        ordered = np.sort(np.frombuffer(seconds, np.int64))
        differences, counts = np.unique(np.diff(ordered), return_counts=True)
        spacing = int(differences[counts.argmax()]) if len(counts) else 0
        found[series] = Clock(spacing, int(ordered[len(ordered) * (EVAL_SHARE - 1) // EVAL_SHARE]))
    return found


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
            step = self._at(row) - self._at(rows[-1][1])
            if step <= 0:
                raise BadValue("not later than the row before it; rows of a series must ascend in time")
            if step != self._clocks[series].spacing:
                rows.clear()
        rows.append((place, row))
        return self._window(rows) if len(rows) == self._before + self._after else None

    def break_off(self, series: Series) -> None:
        """No window reaches back beyond this point of the series."""
        self._rows[series].clear()

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
            made[name] = [rows[i][1][name] for i in range(now - window.steps + 1, now + 1)]
        for name, ahead in self._aheads.items():
            made[name] = rows[now + ahead.steps][1][ahead.of]
        return place, made
