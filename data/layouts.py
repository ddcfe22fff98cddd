"""The forms that one split of a data folder may have, and how to tell which one lies there.

A layout lists items: where each record stands and its raw values, media as the path of their file. It opens tables,
never media.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from data import tables
from data.columns import Ahead, Column, Label, Seed
from data.errors import DataRefused
from data.files import Inside, printable, visible

_METADATA = ("metadata.jsonl", "metadata.csv")
_DOCUMENTS = ("readme", "license", "licence", "copying", "credits")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record cannot be used. `column` is None where the whole record is at fault.

    `attack` marks a path that leaves the data folder; what it names was not opened.
    """

    column: str | None
    reason: str
    attack: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One record before its values are read. `file` is relative to the root, `row` as in tables.Row."""

    file: str
    row: int | None
    values: Mapping[str, Any]
    problem: Problem | None = None


class Layout(Protocol):
    """One split. `folder` is what media paths in the items are relative to."""

    @property
    def words(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        """The items of one shard; each item is in exactly one, wherever the folder lies."""
        ...


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """A folder per class that holds its media files and no folders. Items come shuffled, always in the same way."""

    root: Path
    folder: Path
    media: str
    label: str
    suffixes: tuple[str, ...]
    words = "class-named subfolders"

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        prefix = _relative(self.root, self.folder)
        placed = ((_key(prefix + path), path) for path in self._paths())
        for _, path in sorted((key, path) for key, path in placed if _number(key) % num_shards == shard):
            yield self._item(prefix, path)

    def _paths(self) -> Iterator[str]:
        inside = Inside(self.root)
        for entry in visible(self.folder):
            if entry.is_dir() and inside.holds(entry.path):
                yield from (f"{entry.name}/{file.name}" for file in visible(entry.path))
            elif not _is_document(entry.name):
                yield entry.name

    def _item(self, prefix: str, path: str) -> Item:
        file = printable(prefix + path)
        label, _, name = path.rpartition("/")
        if not label:
            leaves = not Inside(self.root).holds(str(self.folder / path))
            reason = "a link leads out of the data folder" if leaves else "lies outside the class folders"
            return Item(file, None, {}, Problem(None, reason, attack=leaves))
        if os.path.splitext(name)[1].lower() not in self.suffixes:
            return Item(file, None, {}, Problem(self.media, f"the name does not end in {', '.join(self.suffixes)}"))
        return Item(file, None, {self.media: path, self.label: label})


@dataclass(frozen=True, slots=True)
class Metadata:
    """A table whose `file_name` points to media files beside it. Items come shuffled, always in the same way.

    The rows of one shard (the task's columns only) are held in memory.
    """

    root: Path
    table: Path
    fields: Mapping[str, str]  # column of the task -> column of the table
    words: str

    @property
    def folder(self) -> Path:
        return self.table.parent

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        file = _relative(self.root, self.table).removesuffix("/")
        mine: list[tuple[bytes, int, Item]] = []
        for row in tables.rows(self.table, self.fields.values()):
            path = row.values.get("file_name")
            place = path if isinstance(path, str) and path else f"{self.table.name}/{row.number}"
            key = _key(_relative(self.root, self.folder) + place)
            if _number(key) % num_shards == shard:
                mine.append((key, row.number, _table_item(file, row, self.fields)))
        mine.sort(key=lambda placed: placed[:2])
        for _, _, item in mine:
            yield item


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows without files, in the order of the tables' names and of their rows. `strays` are entries of no use."""

    root: Path
    folder: Path
    paths: tuple[Path, ...]
    fields: Mapping[str, str]
    strays: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        kinds = sorted({path.suffix.lower().lstrip(".") for path in self.paths})
        return " and ".join(kind.upper() if kind != "parquet" else "Parquet" for kind in kinds) + " rows"

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        reason = (
            f"neither a table ({', '.join('*' + suffix for suffix in tables.SUFFIXES)}) nor named README or LICENSE"
        )
        for stray in self.strays:
            if _number(_key(stray)) % num_shards == shard:
                yield Item(printable(stray), None, {}, Problem(None, reason))
        for path in self.paths:
            file = _relative(self.root, path).removesuffix("/")
            offset = _number(_key(file))
            for index, row in enumerate(tables.rows(path, self.fields.values())):
                if (offset + index) % num_shards == shard:
                    yield _table_item(printable(file), row, self.fields)


def find_layout(root: Path, folder: Path, columns: Mapping[str, Column]) -> Layout:
    """The layout of one split that has a folder of its own.

    Raises:
      DataRefused: nothing there that these columns can be read from, a required column missing, folders too deep.
    """
    entries = visible(folder)
    if not any(column.is_media for column in columns.values()):
        paths = tuple(Path(entry.path) for entry in entries if is_table(entry))
        prefix = _relative(root, folder)
        strays = tuple(prefix + entry.name for entry in entries if not is_table(entry) and not _is_document(entry.name))
        return find_tables(root, folder, paths, columns, strays)
    metadata = [entry for entry in entries if entry.name in _METADATA]
    if len(metadata) > 1:
        raise DataRefused(f"{folder} holds both metadata.jsonl and metadata.csv", "Keep one of them.")
    if metadata:
        fields = _fields(columns)
        _check_table(root, Path(metadata[0].path), columns, fields)
        wins = any(entry.is_dir() for entry in entries) and _class_columns(columns) is not None
        words = f"{metadata[0].name} and the files it names"
        words += " (folder names are not used as classes)" if wins else ""
        return Metadata(root, Path(metadata[0].path), fields, words)
    return _find_class_folders(root, folder, columns, entries)


def find_tables(
    root: Path, folder: Path, paths: Sequence[Path], columns: Mapping[str, Column], strays: tuple[str, ...] = ()
) -> Tables:
    """The layout of a split that is one or more tables.

    Raises:
      DataRefused: no table, an unreadable one, or one that lacks a required column.
    """
    if not paths:
        raise refused(folder, "no table", columns)
    fields = _fields(columns)
    for path in paths:
        _check_table(root, path, columns, fields)
    return Tables(root, folder, tuple(paths), fields, strays)


def is_table(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in tables.SUFFIXES and not entry.is_dir()


def refused(folder: Path, lack: str, columns: Mapping[str, Column]) -> DataRefused:
    """The error for a folder that is in no form of ours: what is there, and the forms for just these columns."""
    names = [printable(entry.name) + ("/" if entry.is_dir() else "") for entry in islice(visible(folder), 9)]
    found = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "") if names else "nothing"
    return DataRefused(f"{folder}: {lack}; it holds {found}", f"Bring it into this form:\n{example_tree(columns)}")


def example_tree(columns: Mapping[str, Column]) -> str:
    """The forms in which a folder for these columns may be, as text."""
    header = ",".join(_fields(columns).values())
    media = next((column for column in columns.values() if column.is_media), None)
    if media is None:
        return (
            f"  train.csv   with the header {header}\n"
            "  eval.csv    the same\n"
            "(or .jsonl, .parquet; any other *.csv is split 80/20)"
        )
    file = f"1{media.suffixes[0]}" if media.suffixes else "1"
    by_table = (
        f"  train/metadata.csv   with the header {header}\n"
        f"  train/{file:<14} as named in file_name\n"
        "  eval/                the same\n"
        "(or metadata.jsonl; without train/ and eval/ it is split 80/20)"
    )
    names = _class_columns(columns)
    if names is None:
        return by_table
    label = columns[names[1]]
    one, other = (*(label.classes if isinstance(label, Label) else ()), "cat", "dog")[:2]
    by_class = (
        f"  train/{one}/{file}   one folder per {names[1]}\n"
        f"  train/{other}/{file}\n"
        f"  eval/{one}/{file}\n"
        f"  eval/{other}/{file}"
    )
    return f"{by_class}\nor\n{by_table}"


def _find_class_folders(
    root: Path, folder: Path, columns: Mapping[str, Column], entries: Sequence[os.DirEntry[str]]
) -> ClassFolders:
    names = _class_columns(columns)
    if not names:
        raise refused(folder, "no metadata.jsonl or metadata.csv", columns)
    media, label = names
    layout = ClassFolders(root, folder, media, label, columns[media].suffixes)
    inside = Inside(root)
    any_media = False
    for entry in entries:
        if not entry.is_dir() or not inside.holds(entry.path):
            continue
        for file in visible(entry.path):
            if file.is_dir():
                fix = "Move the files up into the folder of their class, or list them in metadata.csv."
                raise DataRefused(f"{entry.path} holds a folder, {printable(file.name)}/; files were expected", fix)
            any_media = any_media or os.path.splitext(file.name)[1].lower() in layout.suffixes
    if not any_media:
        raise refused(folder, f"no metadata.jsonl or metadata.csv and no folders of {columns[media].noun}s", columns)
    return layout


def _class_columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The media and the label column of a task that class-named folders can serve."""
    media = [name for name, column in columns.items() if column.is_media]
    labels = [name for name, column in columns.items() if isinstance(column, Label)]
    required = {name for name, column in columns.items() if not column.optional and not isinstance(column, Seed)}
    return (media[0], labels[0]) if len(media) == len(labels) == 1 and required <= {media[0], labels[0]} else None


def _fields(columns: Mapping[str, Column]) -> dict[str, str]:
    """Column of the task -> column of a table: the first media column is `file_name`, others `<name>_file_name`."""
    media = [name for name, column in columns.items() if column.is_media]
    return {
        name: name if name not in media else "file_name" if name == media[0] else f"{name}_file_name"
        for name, column in columns.items()
        if not isinstance(column, (Seed, Ahead))
    }


def _check_table(root: Path, path: Path, columns: Mapping[str, Column], fields: Mapping[str, str]) -> None:
    refuse_link_out(root, path)
    if not path.is_file():
        raise DataRefused(f"{path} is not an ordinary file", "Put the table itself there.")
    present = tables.column_names(path)
    missing = [field for name, field in fields.items() if field not in present and not columns[name].optional]
    if not missing:
        return
    lower = {name.lower(): name for name in present}
    close = ((field, difflib.get_close_matches(field.lower(), lower, 1)) for field in missing)
    fix = next((f"Rename {lower[match[0]]!r} to {field!r}." for field, match in close if match), "")
    fix = fix or f"The table needs the columns {', '.join(fields.values())}."
    found = ", ".join(printable(name) for name in present)
    raise DataRefused(f"{path} lacks the column {', '.join(missing)}; it has {found}", fix)


def refuse_link_out(root: Path, path: Path) -> None:
    if not Inside(root).holds(str(path)):
        raise DataRefused(f"{path} is a link that leads out of {root}", "Put the data itself there, not a link.")


def _table_item(file: str, row: tables.Row, fields: Mapping[str, str]) -> Item:
    if row.reason:
        return Item(file, row.number, {}, Problem(None, row.reason))
    return Item(file, row.number, {name: row.values.get(field) for name, field in fields.items()})


def _is_document(name: str) -> bool:
    return name.lower().partition(".")[0] in _DOCUMENTS


def _relative(root: Path, path: Path) -> str:
    """`path` seen from `root`, with / at the end; empty for the root itself."""
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else f"{relative}/"


def _key(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).digest()


def _number(key: bytes) -> int:
    return int.from_bytes(key[-8:], "big")
