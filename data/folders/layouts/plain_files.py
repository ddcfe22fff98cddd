"""Files side by side, of which nothing is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    example_file,
    has_suffix,
    is_document,
    relative,
    required,
    shuffled,
    wrong_suffix,
)


@dataclass(frozen=True)
class PlainFiles(Layout):
    """Media files side by side, for tasks that need nothing else. Items come shuffled."""

    root: Path
    folder: Path
    media: str
    noun: str
    suffixes: tuple[str, ...]
    paths: Sequence[str]

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        media = _only_media(columns)
        names = [entry.name for entry in folder.entries]
        if media is None or folder.folders or not any(has_suffix(name, columns[media].suffixes) for name in names):
            return None
        paths = shuffled(relative(folder.root, folder.path), names)
        return cls(folder.root, folder.path, media, columns[media].noun, columns[media].suffixes, paths)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        media, file = _only_media(columns), example_file(columns)
        return f"  train/{file}   {columns[media].noun}s, without a table\n  eval/{file}" if media else ""

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        media = _only_media(columns)
        return f"no {columns[media].noun}s" if media else ""

    @property
    def words(self) -> str:
        return f"{self.noun}s without classes or table"

    def items(self) -> Iterator[Item]:
        prefix = relative(self.root, self.folder)
        for name in self.paths:
            file = printable(prefix + name)
            if has_suffix(name, self.suffixes):
                yield Item(file, None, {self.media: name})
            elif not is_document(name):
                yield Item(file, None, {}, Problem(self.media, wrong_suffix(self.suffixes)))


def _only_media(columns: Mapping[str, Column]) -> str | None:
    """The media column of a task that needs nothing else from a folder."""
    needed = sorted(required(columns))
    alone = len(needed) == 1 and not any(column.drawn for column in columns.values())
    return needed[0] if alone and columns[needed[0]].is_media else None
