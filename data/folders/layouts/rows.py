"""Rows of tables, without files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column
from data.folders import tables
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    check_table,
    is_document,
    is_table,
    media_columns,
    refuse_link_out,
    refuse_no_file,
    relative,
    table_fields,
    table_item,
)
from data.folders.series import SeriesTable, is_series, series_table


@dataclass(frozen=True)
class Rows(Layout):
    """Rows without files, in the order of the tables' names and of their rows. `strays` are entries of no use."""

    root: Path
    folder: Path
    paths: tuple[Path, ...]
    fields: Mapping[str, str]
    strays: tuple[str, ...] = ()
    series: SeriesTable | None = None
    """Of tables of measurements, in place of `fields`."""

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        if media_columns(columns):
            return None
        paths, strays = cls.listed(columns, folder)
        if not paths:
            return None
        if is_series(columns):
            first = series_table(paths[0], columns, folder.names)
            for path in paths[1:]:
                series_table(path, columns, first.names)  # refuses one that lacks a column
            return cls(folder.root, folder.path, paths, {}, strays, first)
        for path in paths:
            check_table(folder.root, path, columns)
        return cls(folder.root, folder.path, paths, table_fields(columns), strays)

    @staticmethod
    def listed(columns: Mapping[str, Column], folder: Folder) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        """The tables of a split, and what is of no use beside them.

        Raises:
          DataRefused: a table lies outside the folder, or is no ordinary file.
        """
        paths: tuple[Path, ...] = folder.files
        strays: tuple[str, ...] = ()
        if not paths:
            beside = {name for column in columns.values() for name in column.beside}
            found = {entry.name: Path(entry.path) for entry in folder.entries if entry.name not in beside}
            paths = tuple(path for name, path in found.items() if is_table(name) and name not in folder.folders)
            prefix = relative(folder.root, folder.path)
            strays = tuple(prefix + name for name, path in found.items() if path not in paths and not is_document(name))
        for path in paths:
            refuse_link_out(folder.root, path)
            refuse_no_file(path)
        return paths, strays

    @classmethod
    def takes_file(cls, columns: Mapping[str, Column], name: str) -> bool:
        return not media_columns(columns) and is_table(name)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if media_columns(columns):
            return ""
        return (
            f"  train.csv   with the header {','.join(table_fields(columns).values())}\n"
            "  eval.csv    the same\n"
            "(or .jsonl, .parquet; any other *.csv is split 80/20)"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return "no table"

    @property
    def words(self) -> str:
        kinds = sorted({path.suffix.lower().lstrip(".") for path in self.paths})
        rows = " and ".join(kind.upper() if kind != "parquet" else "Parquet" for kind in kinds) + " rows"
        return rows if self.series is None else f"{rows} ({self.series.words})"

    @property
    def names_read(self) -> Mapping[str, tuple[str, ...]]:
        return self.series.names if self.series else {}

    def items(self) -> Iterator[Item]:
        reason = (
            f"neither a table ({', '.join('*' + suffix for suffix in tables.SUFFIXES)}) nor named README or LICENSE"
        )
        for stray in self.strays:
            yield Item(printable(stray), None, {}, Problem(None, reason))
        wanted = self.series.wanted if self.series else self.fields.values()
        for path in self.paths:
            file = printable(relative(self.root, path).removesuffix("/"))
            for row in tables.rows(path, wanted):
                yield from self.of_row(file, row)

    def of_row(self, file: str, row: tables.Row) -> Iterator[Item]:
        """What a row of a table holds; `file` is the table's name as people are shown it."""
        if self.series and not row.reason:
            yield Item(file, row.number, self.series.values(row))
        else:
            yield table_item(file, row, self.fields)
