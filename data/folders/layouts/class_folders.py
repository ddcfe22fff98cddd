"""A folder for each class, which holds the files of that class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from data.columns import Column
from data.errors import DataRefused
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    example_file,
    has_suffix,
    is_document,
    lines_of,
    media_columns,
    relative,
    required,
    shuffled,
    told_by_name,
    wrong_suffix,
)

UNSUPERVISED = "unsup"
"""What the folder of texts without a class is called in aclImdb, beside `pos` and `neg`."""


LISTS = ("validation_list.txt", "testing_list.txt")
"""Of files for evaluation, `class/name` a line, as Speech Commands (Warden 2018) has them."""


@dataclass(frozen=True)
class ClassFolders(Layout):
    """A folder per class that holds its files, of any one medium or of texts, and no folders. Items come shuffled."""

    root: Path
    folder: Path
    media: str
    label: str
    column: Column
    paths: Sequence[str]
    unlabelled: tuple[str, ...] = ()
    """Folders that hold no class."""
    others: Mapping[str, Column] = field(default_factory=dict)
    """Columns that a file's name may tell of."""
    lists: tuple[str, ...] = ()
    """Those that say what is for evaluation; the first is followed."""

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        names = class_columns(columns)
        if not names:
            return None
        media, label = names
        column = columns[media]
        if column.may_be_file and not any(_holds(path, column.suffixes) for path in folder.folders.values()):
            return None  # without a word on what else may lie there: it has other forms
        unlabelled = _unlabelled(folder) if column.may_be_file else ()
        beside = {name for one in columns.values() for name in one.beside}
        unlabelled += tuple(sorted(beside & set(folder.folders)))
        paths = list(_paths(folder, unlabelled))
        if not any("/" in path and has_suffix(path, column.suffixes) for path in paths):
            return None
        ordered = shuffled(relative(folder.root, folder.path), paths)
        others = {name: other for name, other in columns.items() if name not in names}
        return cls(folder.root, folder.path, media, label, column, ordered, unlabelled, others)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        names = class_columns(columns)
        if not names:
            return ""
        one, other = (*getattr(columns[names[1]], "classes", ()), "cat", "dog")[:2]
        file = example_file({names[0]: columns[names[0]]})
        lines = [f"{split}/{name}/{file}" for split in ("train", "eval") for name in (one, other)]
        lines[0] += f"   one folder per {names[1]}"
        return "\n".join(f"  {line}" for line in lines)

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no folders of {columns[_in_files(columns)[0]].noun}s"

    @property
    def words(self) -> str:
        said = [f"{name}/ holds no class and is not read" for name in self.unlabelled if name == UNSUPERVISED]
        said += [f"{name}/ holds no class" for name in self.unlabelled if name != UNSUPERVISED]
        said += [f"{name} says what is for evaluation" for name in self.lists[:1]]
        said += [f"what {name} lists is not used" for name in self.lists[1:]]
        return "class-named subfolders" + (f" ({'; '.join(said)})" if said else "")

    def items(self) -> Iterator[Item]:
        prefix = relative(self.root, self.folder)
        for path in self.paths:
            yield self._item(prefix, path)

    def _item(self, prefix: str, path: str) -> Item:
        file = printable(prefix + path)
        label, _, name = path.rpartition("/")
        if not label:
            leaves = not Inside(self.root).holds(str(self.folder / path))
            reason = "a link leads out of the data folder" if leaves else "lies outside the class folders"
            return Item(file, None, {}, Problem(None, reason, attack=leaves))
        if not name:
            return Item(file, None, {}, Problem(None, f"the folder holds no {self.column.noun}"))
        if not has_suffix(name, self.column.suffixes):
            return Item(file, None, {}, Problem(self.media, wrong_suffix(self.column.suffixes)))
        told = told_by_name(self.others, path)
        return Item(file, None, {**told, self.media: self.column.in_file(path), self.label: label})


def find_listed_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of class folders beside which one of LISTS lies: what no list names is to train. Empty if none does.

    Raises:
      DataRefused: a list names a file that is not there, or cannot be read.
    """
    folder = Folder(root, root)
    lists = tuple(name for name in LISTS if folder.holds(name))
    whole = ClassFolders.matches(columns, folder) if lists else None
    if whole is None:
        return {}
    paths = [path for path in _paths(folder, whole.unlabelled) if path not in LISTS]
    listed = [_listed(root, name, frozenset(paths)) for name in lists]
    trained = set(paths).difference(*listed)
    sides = {"train": [path for path in paths if path in trained], "eval": listed[0]}
    return {split: replace(whole, paths=shuffled(f"{split}/", found), lists=lists) for split, found in sides.items()}


def _listed(root: Path, name: str, there: frozenset[str]) -> list[str]:
    lines = lines_of(root, root / name, "List there a file a line: class/name.")
    for row, line in lines:
        if line not in there:
            fix = "Take the line out, or put the file there."
            raise DataRefused(f"{root / name}, line {row}: there is no file {printable(line)}", fix)
    return [line for _, line in lines]


def class_columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The column of files and the class column of a task that class-named folders can serve."""
    media = [name for name in _in_files(columns) if not columns[name].drawn]
    labels = [name for name, column in columns.items() if column.is_class]
    if len(media) == len(labels) == 1 and required(columns) <= {media[0], labels[0]}:
        return media[0], labels[0]
    return None


def _in_files(columns: Mapping[str, Column]) -> list[str]:
    """The media columns or, where there are none, those whose values may be files."""
    return media_columns(columns) or [name for name, column in columns.items() if column.may_be_file]


def _unlabelled(folder: Folder) -> tuple[str, ...]:
    """The folder of reviews without a class in the set of Maas et al. (2011), of which no other task makes use."""
    return (UNSUPERVISED,) if {UNSUPERVISED, "pos", "neg"} <= set(folder.folders) else ()


def _holds(path: Path, suffixes: Sequence[str]) -> bool:
    """Whether a folder holds such a file."""
    return any(has_suffix(entry.name, suffixes) for entry in visible(path))


def _too_deep(folder: Folder, path: str, name: str) -> DataRefused:
    below = folder.deeper() if len(folder.folders) == 1 else None
    fix = f"Give {below}."
    if below is None:
        fix = (
            f"Where {path} is a class, move the files in its folders up into it, or list them in metadata.csv; "
            f"where its folders are the classes, give {path}."
        )
    return DataRefused(f"{path} holds a folder, {printable(name)}/; files were expected", fix)


def _paths(folder: Folder, unlabelled: Sequence[str]) -> Iterator[str]:
    """Files as "class/name", an empty folder as "class/", and what lies beside the class folders by its name."""
    inside = Inside(folder.root)
    for entry in folder.entries:
        if entry.name in unlabelled:
            continue
        if entry.is_dir() and inside.holds(entry.path):
            files = visible(entry.path)
            for file in files:
                if file.is_dir():
                    raise _too_deep(folder, entry.path, file.name)
                yield os.path.join(entry.name, file.name)
            if not files:
                yield os.path.join(entry.name, "")
        elif not is_document(entry.name):
            yield entry.name
