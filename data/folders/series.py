"""Tables of measurements under their owner's names: which column is the time, which the series, which its value.

For tasks with a SeriesName column. A person may name a column (`names`); where none is named, the table's own header
and first rows tell, and what cannot be told is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from data.columns import Column, Companions, SeriesName, Timestamp, Window
from data.columns.base import real
from data.columns.timestamp import RowNumber, moment_of
from data.errors import BadValue, DataRefused
from data.folders import tables
from data.folders.files import printable

TIMES = ("time", "timestamp", "datetime", "date", "ds", "month", "quarter", "year", "day", "period")
VALUES = ("value", "y", "target", "temperature")
"""The last is what tables were asked to call it before they could go by their owner's names."""
ROWS_LOOKED_AT = 500
SEPARATOR = " / "
"""Between the parts of a series' name that stand in several columns."""


def is_series(columns: Mapping[str, Column]) -> bool:
    return any(isinstance(column, SeriesName) for column in columns.values())


@dataclass(frozen=True)
class SeriesTable:
    """Where a row's values stand.

    Attributes:
      names: column of the task -> the column or columns of the table; none for a time that is the row's number.
      unused: columns of the table that are not read.
    """

    columns: Mapping[str, Column] = field(repr=False)
    names: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...] = ()

    @property
    def wanted(self) -> list[str]:
        return [name for found in self.names.values() for name in found]

    @property
    def words(self) -> str:
        """What is read as what, for people."""
        said = []
        for name, column in self.columns.items():
            if found := self.names.get(name):
                said.append(f"{_role(column)} {', '.join(map(printable, found))}")
            elif isinstance(column, Timestamp):
                said.append("no time: rows are one step apart")
        if self.unused:
            said.append(f"not read: {', '.join(map(printable, self.unused))}")
        return "; ".join(said)

    def values(self, row: tables.Row) -> dict[str, Any]:
        """The task's columns of one row."""
        return {name: self._value(column, self.names.get(name, ()), row) for name, column in self.columns.items()}

    def _value(self, column: Column, found: tuple[str, ...], row: tables.Row) -> Any:
        cells = [row.values.get(name) for name in found]
        bad = next((cell for cell in cells if isinstance(cell, BadValue)), None)
        if bad is not None:
            return bad
        if isinstance(column, SeriesName):
            return SEPARATOR.join("" if cell is None else str(cell).strip() for cell in cells)
        if isinstance(column, Companions):
            blank = next((name for name, cell in zip(found, cells, strict=True) if column.is_missing(cell)), None)
            return cells if blank is None else BadValue(f"no value in {blank!r}")
        if isinstance(column, Timestamp) and not found:
            return RowNumber(row.number)
        return cells[0] if cells else None


def series_table(path: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]]) -> SeriesTable:
    """Reads the header and the first rows of a table.

    Args:
      names: column of the task -> column or columns of the table, as far as a person or a trained model says.

    Raises:
      DataRefused: a named column is missing, or the series' value or its rows' series cannot be told.
    """
    there = {name: column for name, column in columns.items() if column.in_folder}
    return _Look(path, there, names).table()


class _Look:
    def __init__(self, path: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]]) -> None:
        self._path, self._columns = path, columns
        self._header = tables.column_names(path)
        self._named = {name: tuple(found) for name, found in names.items() if name in columns}
        missing = [name for found in self._named.values() for name in found if name not in self._header]
        if missing:
            have = ", ".join(map(printable, self._header))
            raise DataRefused(
                f"{path} lacks the column {', '.join(missing)}; it has {have}",
                "Give the table that column, or name another with --set.",
            )
        rows = islice(tables.rows(path, self._header), ROWS_LOOKED_AT)
        self._rows = [row.values for row in rows if not row.reason]

    def table(self) -> SeriesTable:
        found: dict[str, tuple[str, ...]] = {}
        # In this order: what is taken as a time or a value is no name of a series and no companion.
        for kind, look in (
            (Timestamp, self._time),
            (SeriesName, self._series),
            (Window, self._value),
            (Companions, self._companions),
        ):
            for name, column in self._columns.items():
                if type(column) is kind:
                    found[name] = self._named[name] if name in self._named else look(name, found)
        self._refuse_rows_at_one_time(found)
        taken = {name for names in found.values() for name in names}
        return SeriesTable(self._columns, found, tuple(name for name in self._header if name not in taken))

    def _cells(self, name: str) -> list[Any]:
        return [row[name] for row in self._rows if row.get(name) not in (None, "")]

    def _free(self, found: Mapping[str, tuple[str, ...]]) -> list[str]:
        taken = {name for names in (*found.values(), *self._named.values()) for name in names}
        return [name for name in self._header if name not in taken]

    def _own(self, name: str, others: Sequence[str], free: Sequence[str]) -> str | None:
        """A column of the table that has the task's name for it, or one of the usual ones, in any case."""
        by_lower = {one.strip().lower(): one for one in reversed(free)}
        return next((by_lower[one] for one in (name, *others) if one in by_lower), None)

    def _time(self, name: str, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        free = self._free(found)
        own = self._own(name, TIMES, free)
        if own is not None:
            return (own,)
        dated = [one for one in free if self._cells(one) and not self._is_number(one) and self._is_time(one)]
        return (dated[0],) if len(dated) == 1 else ()

    def _series(self, name: str, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        free = self._free(found)
        own = self._own(name, (), free)
        if own is not None:
            return (own,)
        texts = [one for one in free if self._cells(one) and not self._is_number(one) and not self._is_time(one)]
        # A text that is another in nearly each row is a remark, not a name.
        return tuple(one for one in texts if 2 * len(set(map(str, self._cells(one)))) <= len(self._cells(one)))

    def _value(self, name: str, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        free = self._free(found)
        numbers = [one for one in free if self._is_number(one)]
        own = self._own(name, VALUES, free)
        if own is not None or len(numbers) == 1:
            return (own or numbers[0],)
        if not numbers:
            raise DataRefused(
                f"{self._path}: no column of numbers to be continued; it has {', '.join(map(printable, self._header))}",
                "Give the table a column of numbers.",
            )
        raise DataRefused(
            f"{self._path}: several columns could be the one to be continued: {', '.join(map(printable, numbers))}",
            f"Name it with --set target=NAME, for example --set target={numbers[0]}, or call it value.",
        )

    def _companions(self, name: str, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        column = self._columns[name]
        assert isinstance(column, Companions)
        return tuple(one for one in self._free(found) if self._is_number(one))[: column.width]

    def _is_number(self, name: str) -> bool:
        cells = self._cells(name)
        return bool(cells) and sum(real(cell) == real(cell) for cell in cells) >= 0.9 * len(cells)

    def _is_time(self, name: str) -> bool:
        cells = self._cells(name)
        return bool(cells) and sum(moment_of(cell) is not None for cell in cells) >= 0.9 * len(cells)

    def _refuse_rows_at_one_time(self, found: Mapping[str, tuple[str, ...]]) -> None:
        """Most rows at one time as another of their series are several series whose name was not found."""
        [time] = [names for name, names in found.items() if isinstance(self._columns[name], Timestamp)]
        if not time:
            return
        [series] = [names for name, names in found.items() if isinstance(self._columns[name], SeriesName)]
        places = [tuple(str(row.get(name)) for name in (*series, *time)) for row in self._rows]
        if 2 * len(set(places)) <= len(places):
            free = ", ".join(printable(name) for name in self._header if name not in time)
            raise DataRefused(
                f"{self._path}: most rows have the {time[0]} of another row of their series",
                f"Say which column names the series with --set series=NAME: one of {free}.",
            )


def _role(column: Column) -> str:
    if isinstance(column, Timestamp):
        return "time:"
    if isinstance(column, SeriesName):
        return "series:"
    return "beside it:" if isinstance(column, Companions) else "continued is"
