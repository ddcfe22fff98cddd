"""A table with a row for each of a picture's texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from data.columns import Column, Texts
from data.folders import tables
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Problem,
    check_table,
    example_file,
    key,
    media_columns,
    refuse_link_out,
    refuse_no_file,
    relative,
    table_fields,
)
from data.folders.layouts.metadata import NAMES, Metadata


@dataclass(frozen=True)
class TextRows(Metadata):
    """As `Metadata`, but each row holds one of the texts of a file, in a column of the singular name: `caption` where
    the task has `captions`. The rows of one file are one record, wherever they stand; other columns are read in the
    first of them. A row without its text is a bad one by itself."""

    texts: str

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        texts = _texts_column(columns)
        found = [name for name in NAMES if folder.holds(name)]
        if texts is None or len(found) != 1:
            return None
        path = folder.path / found[0]
        refuse_link_out(folder.root, path)
        refuse_no_file(path)
        present = tables.column_names(path)
        if texts in present or _singular(texts) not in present:
            return None
        others = {name: column for name, column in columns.items() if name != texts}
        fields = check_table(folder.root, path, others) | {texts: _singular(texts)}
        return cls(folder.root, path, fields, f"{found[0]}, a row for each {_singular(texts)} of a file", texts)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        texts = _texts_column(columns)
        if texts is None:
            return ""
        fields = table_fields(columns) | {texts: _singular(texts)}
        return (
            f"  train/metadata.csv   with the header {','.join(fields.values())}, a row for each {_singular(texts)}\n"
            f"  train/{example_file(columns):<14} as named in file_name, in as many rows as it has of them\n"
            "  eval/                the same"
        )

    def items(self) -> Iterator[Item]:
        placed = [(key(relative(self.root, self.folder) + item_key), item) for item_key, item in self._gathered()]
        for _, item in sorted(placed, key=lambda one: (one[0], one[1].row or 0)):
            yield item

    def in_order(self) -> Iterator[Item]:
        for _, item in self._gathered():
            yield item

    def _gathered(self) -> Iterator[tuple[str, Item]]:
        """Records by the name of their file, in the order of its first row, and what is no part of any."""
        file = relative(self.root, self.table).removesuffix("/")
        texts: dict[str, list[str]] = {}
        first: dict[str, Item] = {}
        for row in tables.rows(self.table, self.fields.values()):
            values = {name: row.values.get(field) for name, field in self.fields.items()}
            path, text = row.values.get("file_name"), values[self.texts]
            stray = f"{self.table.name}/{row.number}"
            if row.reason:
                yield stray, Item(file, row.number, {}, Problem(None, row.reason))
            elif not isinstance(path, str) or not path:
                yield stray, Item(file, row.number, values)
            elif not isinstance(text, str) or not text.strip():
                reason = f"no {_singular(self.texts)} of {printable(path)}; its other rows are read"
                yield stray, Item(file, row.number, {}, Problem(self.texts, reason))
            else:
                texts.setdefault(path, []).append(text)
                first.setdefault(path, Item(file, row.number, values))
        for path, item in first.items():
            yield path, Item(item.file, item.row, {**item.values, self.texts: texts[path]})


def _texts_column(columns: Mapping[str, Column]) -> str | None:
    """The one column of texts of a task with files, if its name has a singular."""
    found = [name for name, column in columns.items() if isinstance(column, Texts) and column.in_folder]
    return found[0] if len(found) == 1 and found[0].endswith("s") and media_columns(columns) else None


def _singular(name: str) -> str:
    return name.removesuffix("s")
