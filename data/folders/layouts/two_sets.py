"""Two folders of pictures, any of which may stand beside any of the other: contents and styles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column, crossed
from data.errors import DataRefused
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    is_document,
    relative,
    required,
    shuffled,
    wrong_suffix,
)
from data.folders.layouts.two_folders import first_folder

_LEVELS = 4
_OTHER_NAMES = {"content": ("contents", "photos", "photographs"), "style": ("styles", "paintings")}
"""What the folder of a column may be called beside its name."""


@dataclass(frozen=True)
class TwoSets(Layout):
    """A folder called as the column of the first set, and one called as that of the second, each with its pictures and
    folders of pictures, as of painters. An item is one picture, of the one or the other; they come shuffled."""

    root: Path
    folder: Path
    folders: Mapping[str, str]
    """Column -> its folder."""
    suffixes: Mapping[str, tuple[str, ...]]
    paths: Sequence[str]

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        sets = _sets(columns)
        found = {} if sets is None else {name: _folder_of(name, folder) for name in sets}
        there = {name: path for name, path in found.items() if path is not None}
        if not there:
            return None
        for name in found:
            if name not in there:
                [other] = there.values()
                raise DataRefused(
                    f"{folder.path} holds {other}/, but no {name}/",
                    f"Put the {name} {columns[name].noun}s into {name}/ beside it.",
                )
        suffixes = {name: columns[name].suffixes for name in there}
        paths: list[str] = []
        inside = Inside(folder.root)
        for name, path in there.items():
            those = list(_files(folder.path, path, inside, _LEVELS))
            if not any(has_suffix(file, suffixes[name]) for file in those):
                raise DataRefused(
                    f"{folder.path / path} holds no {columns[name].noun}",
                    f"Put at least one {name} {columns[name].noun} there ({', '.join(suffixes[name][:3])} ...).",
                )
            paths += those
        return cls(folder.root, folder.path, there, suffixes, shuffled(relative(folder.root, folder.path), paths))

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        sets = _sets(columns)
        if sets is None:
            return ""
        first, second = sets
        return (
            f"  train/{first}/1.jpg\n"
            f"  train/{second}/1.jpg   any number of each, of any names and sizes\n"
            f"  eval/{' ' * (len(first) + len(second))}  the same, others\n"
            f"(or {first}/ and {second}/ alone: of each a fifth is held out)"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        first, second = _sets(columns) or ("", "")
        return f"no {first}/ and {second}/"

    @property
    def words(self) -> str:
        return " and ".join(f"{name} pictures in {folder}/" for name, folder in self.folders.items())

    def items(self) -> Iterator[Item]:
        prefix = relative(self.root, self.folder)
        columns = {folder: name for name, folder in self.folders.items()}
        for path in self.paths:
            name, file = columns[path.partition("/")[0]], printable(prefix + path)
            if has_suffix(path, self.suffixes[name]):
                yield Item(file, None, {name: path})
            elif not is_document(path.rpartition("/")[2]):
                yield Item(file, None, {}, Problem(name, wrong_suffix(self.suffixes[name])))


def _sets(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The columns whose pictures the two folders hold."""
    sets = crossed(columns)
    return sets if sets and required(columns) <= set(sets) else None


def _folder_of(name: str, folder: Folder) -> str | None:
    return first_folder(folder, (name, *_OTHER_NAMES.get(name, ())))


def _files(root: Path, below: str, inside: Inside, levels: int) -> Iterator[str]:
    """Paths of files, relative to `root`. A folder that leads out of the data is not entered."""
    if not inside.holds(str(root / below)):
        return
    for entry in visible(root / below):
        if not entry.is_dir():
            yield f"{below}/{entry.name}"
        elif levels > 1:
            yield from _files(root, f"{below}/{entry.name}", inside, levels - 1)
