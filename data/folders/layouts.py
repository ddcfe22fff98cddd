"""The forms that one split of a data folder may have, and how to tell which one lies there.

A layout lists items: where each record stands and its raw values, media as the path of their file. It opens tables,
never media.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from data.columns import Boxes, Column, Label
from data.errors import DataRefused
from data.folders import tables
from data.folders.coco import Instances
from data.folders.files import Inside, printable, visible
from data.folders.series import SeriesTable, is_series, series_table

_METADATA = ("metadata.jsonl", "metadata.csv")
_INSTANCES = "annotations.json"
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
            return Item(file, None, {}, Problem(self.media, _wrong_suffix(self.suffixes)))
        return Item(file, None, {self.media: path, self.label: label})


@dataclass(frozen=True, slots=True)
class PlainFiles:
    """Media files side by side, of which nothing is told. Items come shuffled, always in the same way."""

    root: Path
    folder: Path
    media: str
    noun: str
    suffixes: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"{self.noun}s without classes or table"

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        prefix = _relative(self.root, self.folder)
        placed = ((_key(prefix + entry.name), entry.name) for entry in visible(self.folder))
        for _, name in sorted((key, name) for key, name in placed if _number(key) % num_shards == shard):
            file = printable(prefix + name)
            if os.path.splitext(name)[1].lower() in self.suffixes:
                yield Item(file, None, {self.media: name})
            elif not _is_document(name):
                yield Item(file, None, {}, Problem(self.media, _wrong_suffix(self.suffixes)))


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
class Coco:
    """A COCO instances file, whose `file_name`s are relative to `folder`. Items come in the order of its `images`."""

    root: Path
    path: Path
    folder: Path
    instances: Instances
    image: str
    boxes: str

    @property
    def words(self) -> str:
        return f"COCO's {_relative(self.root, self.path).removesuffix('/')} and the files it names"

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        file = _relative(self.root, self.path).removesuffix("/")
        for picture in islice(self.instances.pictures(), shard, None, num_shards):
            place = f"{file}, {picture.place}"
            if picture.reason:
                yield Item(place, None, {}, Problem(None, picture.reason))
            else:
                yield Item(place, None, {self.image: picture.file_name, self.boxes: picture.objects})


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows without files, in the order of the tables' names and of their rows. `strays` are entries of no use."""

    root: Path
    folder: Path
    paths: tuple[Path, ...]
    fields: Mapping[str, str]
    strays: tuple[str, ...] = ()
    series: SeriesTable | None = None
    """Of tables of measurements, in place of `fields`."""

    @property
    def words(self) -> str:
        kinds = sorted({path.suffix.lower().lstrip(".") for path in self.paths})
        rows = " and ".join(kind.upper() if kind != "parquet" else "Parquet" for kind in kinds) + " rows"
        return rows if self.series is None else f"{rows} ({self.series.words})"

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
            wanted = self.series.wanted if self.series else self.fields.values()
            for index, row in enumerate(tables.rows(path, wanted)):
                if (offset + index) % num_shards != shard:
                    continue
                if self.series and not row.reason:
                    yield Item(printable(file), row.number, self.series.values(row))
                else:
                    yield _table_item(printable(file), row, self.fields)


def find_layout(
    root: Path, folder: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]] | None = None
) -> Layout:
    """The layout of one split that has a folder of its own.

    Raises:
      DataRefused: nothing there that these columns can be read from, a required column missing, folders too deep.
    """
    entries = visible(folder)
    if not any(column.is_media for column in columns.values()):
        paths = tuple(Path(entry.path) for entry in entries if is_table(entry))
        prefix = _relative(root, folder)
        strays = tuple(prefix + entry.name for entry in entries if not is_table(entry) and not _is_document(entry.name))
        return find_tables(root, folder, paths, columns, strays, names)
    described_by = (*_METADATA, _INSTANCES) if _box_columns(columns) else _METADATA
    found = [name for name in described_by if any(entry.name == name for entry in entries)]
    if len(found) > 1:
        raise DataRefused(f"{folder} holds both {found[0]} and {found[1]}", "Keep one of them.")
    if found == [_INSTANCES]:
        return _coco(root, folder / _INSTANCES, folder, columns)
    if found:
        fields = table_fields(columns)
        _check_table(root, folder / found[0], columns, fields)
        wins = any(entry.is_dir() for entry in entries) and _class_columns(columns) is not None
        words = f"{found[0]} and the files it names"
        words += " (folder names are not used as classes)" if wins else ""
        return Metadata(root, folder / found[0], fields, words)
    if _only_media(columns) and not any(entry.is_dir() for entry in entries):
        return _find_plain_files(root, folder, columns, entries)
    return _find_class_folders(root, folder, columns, entries)


def find_coco_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder as COCO itself is laid out: pictures in `train2017/` and `val2017/`, what is on them in
    `annotations/instances_train2017.json` and `instances_val2017.json`, of any year or none. Empty if it is not.

    Raises:
      DataRefused: one of the two is missing or there several times, has no folder, or is no instances file.
    """
    folder = root / "annotations"
    if not _box_columns(columns) or not folder.is_dir():
        return {}
    refuse_link_out(root, folder)
    names = [entry.name for entry in visible(folder)]
    patterns = {"train": r"instances_(train\d*)\.json", "eval": r"instances_((?:val|eval)\d*)\.json"}
    files = {split: [m for name in names if (m := re.fullmatch(p, name))] for split, p in patterns.items()}
    if not any(files.values()):
        return {}
    layouts: dict[str, Layout] = {}
    for split, found in files.items():
        if len(found) != 1:
            there = " and ".join(match[0] for match in found) or "no instances file"
            fix = "Put one instances_train*.json and one instances_val*.json there."
            raise DataRefused(f"{folder} holds {there} for {split}", fix)
        file, name = found[0].group(0, 1)
        pictures = next((path for path in (root / name, root / "images" / name) if path.is_dir()), None)
        if pictures is None:
            raise DataRefused(f"{root} lacks the folder {name}/", f"Put the pictures that {file} names there.")
        refuse_link_out(root, pictures)
        layouts[split] = _coco(root, folder / file, pictures, columns)
    return layouts


def find_tables(
    root: Path,
    folder: Path,
    paths: Sequence[Path],
    columns: Mapping[str, Column],
    strays: tuple[str, ...] = (),
    names: Mapping[str, Sequence[str]] | None = None,
) -> Tables:
    """The layout of a split that is one or more tables.

    Raises:
      DataRefused: no table, an unreadable one, or one that lacks a required column.
    """
    if not paths:
        raise refused(folder, "no table", columns)
    if is_series(columns):
        first = series_table(paths[0], columns, names or {})
        for path in paths[1:]:
            series_table(path, columns, first.names)  # refuses one that lacks a column
        return Tables(root, folder, tuple(paths), {}, strays, first)
    fields = table_fields(columns)
    for path in paths:
        _check_table(root, path, columns, fields)
    return Tables(root, folder, tuple(paths), fields, strays)


def names_read(layout: Layout) -> Mapping[str, tuple[str, ...]]:
    """Column of the task -> columns of the tables, where these go by their owner's names; else empty."""
    return layout.series.names if isinstance(layout, Tables) and layout.series else {}


def is_table(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in tables.SUFFIXES and not entry.is_dir()


def refused(folder: Path, lack: str, columns: Mapping[str, Column]) -> DataRefused:
    """The error for a folder that is in no form of ours: what is there, and the forms for just these columns."""
    names = [printable(entry.name) + ("/" if entry.is_dir() else "") for entry in islice(visible(folder), 9)]
    found = ", ".join(names[:8]) + (" ..." if len(names) > 8 else "") if names else "nothing"
    return DataRefused(f"{folder}: {lack}; it holds {found}", f"Bring it into this form:\n{example_tree(columns)}")


def example_tree(columns: Mapping[str, Column]) -> str:
    """The forms in which a folder for these columns may be, as text."""
    header = ",".join(table_fields(columns).values())
    media = next((column for column in columns.values() if column.is_media), None)
    if media is None:
        return (
            f"  train.csv   with the header {header}\n"
            "  eval.csv    the same\n"
            "(or .jsonl, .parquet; any other *.csv is split 80/20)"
        )
    file = f"1{media.suffixes[0]}" if media.suffixes else "1"
    forms = [
        f"  train/metadata.csv   with the header {header}\n"
        f"  train/{file:<14} as named in file_name\n"
        "  eval/                the same\n"
        "(or metadata.jsonl; without train/ and eval/ it is split 80/20)"
    ]
    if _only_media(columns):
        forms.insert(0, f"  train/{file}   {media.noun}s, without a table\n  eval/{file}")
    if names := _class_columns(columns):
        label = columns[names[1]]
        one, other = (*(label.classes if isinstance(label, Label) else ()), "cat", "dog")[:2]
        lines = [f"{split}/{name}/{file}" for split in ("train", "eval") for name in (one, other)]
        lines[0] += f"   one folder per {names[1]}"
        forms.insert(0, "\n".join(f"  {line}" for line in lines))
    if _box_columns(columns):
        forms.append(
            "  train/annotations.json   COCO's instances form\n"
            f"  train/{file:<18} as named in its images\n"
            "  eval/                    the same"
        )
    return "\nor\n".join(forms)


def _coco(root: Path, path: Path, folder: Path, columns: Mapping[str, Column]) -> Coco:
    image, boxes = _box_columns(columns) or ("", "")
    refuse_link_out(root, path)
    _refuse_no_file(path)
    return Coco(root, path, folder, Instances(path), image, boxes)


def _find_plain_files(
    root: Path, folder: Path, columns: Mapping[str, Column], entries: Sequence[os.DirEntry[str]]
) -> PlainFiles:
    media = _only_media(columns) or ""
    noun, suffixes = columns[media].noun, columns[media].suffixes
    if not any(os.path.splitext(entry.name)[1].lower() in suffixes for entry in entries):
        raise refused(folder, f"no metadata.jsonl or metadata.csv and no {noun}s", columns)
    return PlainFiles(root, folder, media, noun, suffixes)


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
    labels = [name for name, column in columns.items() if column.is_class]
    required = {name for name, column in columns.items() if not column.optional and column.in_folder}
    return (media[0], labels[0]) if len(media) == len(labels) == 1 and required <= {media[0], labels[0]} else None


def _only_media(columns: Mapping[str, Column]) -> str | None:
    """The media column of a task that needs nothing else from a folder."""
    required = [name for name, column in columns.items() if not column.optional and column.in_folder]
    return required[0] if len(required) == 1 and columns[required[0]].is_media else None


def _box_columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The picture and the boxes column of a task that a COCO file can serve."""
    images = [name for name, column in columns.items() if column.is_picture]
    boxes = [name for name, column in columns.items() if isinstance(column, Boxes)]
    required = {name for name, column in columns.items() if not column.optional and column.in_folder}
    return (images[0], boxes[0]) if len(images) == len(boxes) == 1 and required <= {images[0], boxes[0]} else None


def table_fields(columns: Mapping[str, Column]) -> dict[str, str]:
    """Column of the task -> column of a table: the first media column is `file_name`, others `<name>_file_name`."""
    media = [name for name, column in columns.items() if column.is_media]
    return {
        name: name if name not in media else "file_name" if name == media[0] else f"{name}_file_name"
        for name, column in columns.items()
        if column.in_folder
    }


def _check_table(root: Path, path: Path, columns: Mapping[str, Column], fields: Mapping[str, str]) -> None:
    refuse_link_out(root, path)
    _refuse_no_file(path)
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


def _refuse_no_file(path: Path) -> None:
    if not path.is_file():
        raise DataRefused(f"{path} is not an ordinary file", "Put the table itself there.")


def _wrong_suffix(suffixes: Sequence[str]) -> str:
    return f"the name does not end in {', '.join(suffixes)}"


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
