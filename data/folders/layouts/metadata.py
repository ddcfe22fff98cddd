"""A table that names files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column
from data.errors import DataRefused
from data.folders import tables
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    check_table,
    example_file,
    key,
    media_columns,
    relative,
    table_fields,
    table_item,
)
from data.folders.layouts.class_folders import class_columns

NAMES = ("metadata.jsonl", "metadata.csv")


@dataclass(frozen=True)
class Metadata(Layout):
    """A table whose `file_name` points to media files beside it. Items come shuffled, always in the same way.

    The rows of one shard (the task's columns only) are held in memory.
    """

    root: Path
    table: Path
    fields: Mapping[str, str]  # column of the task -> column of the table
    said: str

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        found = [name for name in NAMES if folder.holds(name)]
        if not media_columns(columns) or not found:
            return None
        if len(found) > 1:
            raise DataRefused(f"{folder.path} holds both {found[0]} and {found[1]}", "Keep one of them.")
        path = folder.path / found[0]
        words = f"{found[0]} and the files it names"
        if folder.folders and class_columns(columns):
            words += " (folder names are not used as classes)"
        return cls(folder.root, path, check_table(folder.root, path, columns), words)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not media_columns(columns):
            return ""
        return (
            f"  train/metadata.csv   with the header {','.join(table_fields(columns).values())}\n"
            f"  train/{example_file(columns):<14} as named in file_name\n"
            "  eval/                the same\n"
            "(or metadata.jsonl; without train/ and eval/ it is split 80/20)"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {' or '.join(NAMES)}"

    @property
    def words(self) -> str:
        return self.said

    @property
    def folder(self) -> Path:  # type: ignore[override]
        return self.table.parent

    def items(self) -> Iterator[Item]:
        file = relative(self.root, self.table).removesuffix("/")
        placed: list[tuple[bytes, int, Item]] = []
        for row in tables.rows(self.table, self.fields.values()):
            path = row.values.get("file_name")
            place = path if isinstance(path, str) and path else f"{self.table.name}/{row.number}"
            name = key(relative(self.root, self.folder) + place)
            placed.append((name, row.number, table_item(file, row, self.fields)))
        placed.sort(key=lambda one: one[:2])
        for _, _, item in placed:
            yield item

    def in_order(self) -> Iterator[Item]:
        file = relative(self.root, self.table).removesuffix("/")
        for row in tables.rows(self.table, self.fields.values()):
            yield table_item(file, row, self.fields)
