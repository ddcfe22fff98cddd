"""What a layout is: one form that one split of a data folder may have."""

from __future__ import annotations

import difflib
import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from data.columns import Column, Value
from data.errors import DataRefused
from data.folders import tables
from data.folders.files import Inside, below, printable, visible

_LEVELS = 3
_FOLDERS_TRIED = 20
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
    """One record before its values are read. `file` and `row` as in data.folders.folder.Record."""

    file: str
    row: int | None
    values: Mapping[str, Any]
    problem: Problem | None = None


@dataclass(frozen=True)
class Folder:
    """What lies in the folder of one split, listed once.

    `root` is the data folder. `files`, if given, are all of it that belongs to this split: tables at the top of `root`.
    `names`: column of the task -> columns of the tables, as far as a person or a trained model says. `takes`: whether a
    run would take a folder, by which one below is found where this one has no known form; None for no search.
    """

    root: Path
    path: Path
    files: tuple[Path, ...] = ()
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    takes: Callable[[Path], bool] | None = None

    @cached_property
    def entries(self) -> list[os.DirEntry[str]]:
        return visible(self.path)

    @cached_property
    def folders(self) -> dict[str, Path]:
        return {entry.name: Path(entry.path) for entry in self.entries if entry.is_dir()}

    @cached_property
    def below(self) -> list[str]:
        """All files of the split, also in folders, as paths relative to `path`."""
        return [file.name for file in self.files] or list(below(self.path))

    def holds(self, name: str) -> bool:
        return any(entry.name == name for entry in self.entries)

    def deeper(self) -> Path | None:
        """The first folder below that a run would take."""
        return _deeper(self.path, self.takes, _LEVELS) if self.takes else None


def _deeper(path: Path, takes: Callable[[Path], bool], levels: int) -> Path | None:
    folders = [Path(entry.path) for entry in visible(path) if entry.is_dir(follow_symlinks=False)][:_FOLDERS_TRIED]
    if found := next((folder for folder in folders if takes(folder)), None):
        return found
    deeper = (_deeper(folder, takes, levels - 1) for folder in folders if levels > 1)
    return next((found for found in deeper if found), None)


class Layout(ABC):
    """One form, filled by the files of one split. `folder` is what media paths in its items are relative to.

    A layout lists items: where each record stands and its raw values, media as the path of their file. It opens tables,
    never media.
    """

    root: Path
    folder: Path

    @classmethod
    @abstractmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        """The layout, where the folder has this form and the form can hold all columns that are needed.

        Raises:
          DataRefused: the folder plainly means to have this form, and there is a fault in it.
        """

    @classmethod
    def takes_file(cls, columns: Mapping[str, Column], name: str) -> bool:
        """Whether a file at the top of a data folder that is called as a split may be that split in this form."""
        return False

    @classmethod
    @abstractmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        """The form as text, for just these columns; empty where it cannot hold them."""

    @classmethod
    @abstractmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        """What a folder has none of that is not in this form."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The form in words."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """All items in the order in which they are read, the same wherever the folder lies: files come shuffled."""

    def in_order(self) -> Iterator[Item]:
        """All items, as they stand in their table where there is one."""
        return self.items()

    @property
    def names_read(self) -> Mapping[str, tuple[str, ...]]:
        """Column of the task -> columns of the tables, where these go by their owner's names; else empty."""
        return {}

    @property
    def class_numbers(self) -> Mapping[int, str]:
        """What the numbers in masks stand for, as far as this split alone says it; both splits must say the same."""
        return {}

    def remark(self, item: Item, features: Mapping[str, Value]) -> tuple[str, str] | None:
        """A column of a good record, and what was done to it that its owner should know of."""
        return None


# --- columns ---


def required(columns: Mapping[str, Column]) -> set[str]:
    """What a folder must hold."""
    return {
        name
        for name, column in columns.items()
        if not (column.optional or column.drawn or column.may_lack) and column.in_folder
    }


def media_columns(columns: Mapping[str, Column]) -> list[str]:
    return [name for name, column in columns.items() if column.is_media and column.in_folder]


def only(columns: Mapping[str, Column], kind: type[Column]) -> str | None:
    """The first column of a kind, of a task that needs nothing else from a folder."""
    name = next((name for name, column in columns.items() if isinstance(column, kind)), None)
    return name if name is not None and required(columns) == {name} else None


def table_fields(columns: Mapping[str, Column]) -> dict[str, str]:
    """Column of the task -> column of a table: the first media column is `file_name`, others `<name>_file_name`."""
    media = media_columns(columns)
    return {
        name: name if name not in media else "file_name" if name == media[0] else f"{name}_file_name"
        for name, column in columns.items()
        if column.in_folder
    }


def example_file(columns: Mapping[str, Column]) -> str:
    """The name of a file of the first column that has files."""
    suffixes = next((c.suffixes for c in columns.values() if c.is_media or c.may_be_file), ())
    return f"1{suffixes[0]}" if suffixes else "1"


# --- tables ---


def check_table(root: Path, path: Path, columns: Mapping[str, Column]) -> dict[str, str]:
    """The fields of a table that can be read.

    Raises:
      DataRefused: it lies outside, cannot be read, or lacks a column that is needed.
    """
    refuse_link_out(root, path)
    refuse_no_file(path)
    fields, needed = table_fields(columns), required(columns)
    present = tables.column_names(path)
    missing = [field for name, field in fields.items() if field not in present and name in needed]
    if not missing:
        return fields
    lower = {name.lower(): name for name in present}
    close = ((field, difflib.get_close_matches(field.lower(), lower, 1)) for field in missing)
    fix = next((f"Rename {lower[match[0]]!r} to {field!r}." for field, match in close if match), "")
    found = ", ".join(printable(name) for name in present)
    raise DataRefused(
        f"{path} lacks the column {', '.join(missing)}; it has {found}", fix or f"The table needs {_asked(columns)}."
    )


def _asked(columns: Mapping[str, Column]) -> str:
    fields, needed = table_fields(columns), required(columns)
    asked = f"the columns {', '.join(field for name, field in fields.items() if name in needed)}"
    more = [field for name, field in fields.items() if name not in needed]
    return asked + (f"; it may have {', '.join(more)}" if more else "")


def table_item(file: str, row: tables.Row, fields: Mapping[str, str]) -> Item:
    if row.reason:
        return Item(file, row.number, {}, Problem(None, row.reason))
    return Item(file, row.number, {name: row.values.get(field) for name, field in fields.items()})


def is_table(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in tables.SUFFIXES


# --- files ---


def has_suffix(name: str, suffixes: Sequence[str]) -> bool:
    return os.path.splitext(name)[1].lower() in suffixes


def wrong_suffix(suffixes: Sequence[str]) -> str:
    return f"the name does not end in {', '.join(suffixes)}"


def is_document(name: str) -> bool:
    """Whether a file tells people of the data, and is none of it."""
    return name.lower().partition(".")[0] in _DOCUMENTS


def refuse_link_out(root: Path, path: Path) -> None:
    if not Inside(root).holds(str(path)):
        raise DataRefused(f"{path} is a link that leads out of {root}", "Put the data itself there, not a link.")


def refuse_no_file(path: Path) -> None:
    if not path.is_file():
        raise DataRefused(f"{path} is not an ordinary file", "Put the table itself there.")


def lines_of(root: Path, path: Path, fix: str) -> list[tuple[int, str]]:
    """The lines of a list in a data folder that are not empty, by number, without spaces around them.

    Raises:
      DataRefused: it is a link that leads out, no ordinary file, or cannot be read; `fix` says what to do then.
    """
    refuse_link_out(root, path)
    if path.exists():  # to read a pipe would wait for its writer
        refuse_no_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path} cannot be read: {error}", fix) from error
    return [(row, line.strip()) for row, line in enumerate(text.splitlines(), 1) if line.strip()]


def told_by_name(columns: Mapping[str, Column], path: str) -> dict[str, Any]:
    """What the path of a record's file says of these columns."""
    told = {name: column.said_by_name(path) for name, column in columns.items()}
    return {name: value for name, value in told.items() if value is not None}


def relative(root: Path, path: Path) -> str:
    """`path` seen from `root`, with / at the end; empty for the root itself."""
    found = path.relative_to(root).as_posix()
    return "" if found == "." else f"{found}/"


def key(path: str) -> bytes:
    """What shuffles files, always in the same way."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).digest()


def number(key: bytes) -> int:
    return int.from_bytes(key[-8:], "big")


def shuffled(prefix: str, paths: Iterable[str]) -> list[str]:
    """Paths in an order that is always the same and has nothing to do with their names."""
    return sorted(paths, key=lambda path: key(prefix + path))
