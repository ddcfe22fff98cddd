"""Files whose names tell their class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    is_document,
    relative,
    shuffled,
    told_by_name,
    wrong_suffix,
)
from data.folders.layouts.class_folders import class_columns

_SHARE = 0.5
"""Of the files at least so many must be named so."""


@dataclass(frozen=True)
class NamedFiles(Layout):
    """Files side by side, or in folders of which nothing is told, for tasks whose class column reads names of files
    (`Label.in_file_names`): each file's name tells its class, and may tell other columns. Items come shuffled."""

    root: Path
    folder: Path
    media: str
    label: str
    columns: Mapping[str, Column]
    paths: Sequence[str]

    words = "the class and what else is told by the names of files"

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        names = class_columns(columns)
        if not names or not columns[names[1]].names_in_files:
            return None
        media, label = columns[names[0]], columns[names[1]]
        paths = list(_paths(folder))
        files = [path for path in paths if has_suffix(path, media.suffixes)]
        if sum(label.said_by_name(path) is not None for path in files) < max(1, _SHARE * len(files)):
            return None
        return cls(folder.root, folder.path, *names, columns, shuffled(relative(folder.root, folder.path), paths))

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        names = class_columns(columns)
        if not names or not columns[names[1]].names_in_files:
            return ""
        suffix = columns[names[0]].suffixes[0]
        files = [f"{name}{suffix}" for name in columns[names[1]].names_in_files]
        return "\n".join(f"  {file}   whose name tells the {names[1]}; in any folder" for file in files)

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return "no files whose names tell their class"

    def items(self) -> Iterator[Item]:
        prefix = relative(self.root, self.folder)
        media, known = self.columns[self.media], " or ".join(self.columns[self.label].names_in_files)
        others = {name: column for name, column in self.columns.items() if name != self.media}
        for path in self.paths:
            file, told = printable(prefix + path), told_by_name(others, path)
            if not has_suffix(path, media.suffixes):
                yield Item(file, None, {}, Problem(self.media, wrong_suffix(media.suffixes)))
            elif self.label not in told:
                yield Item(file, None, {}, Problem(self.label, f"the name tells no {self.label}: expected as {known}"))
            else:
                yield Item(file, None, {self.media: path, **told})


def _paths(folder: Folder) -> Iterator[str]:
    """Files at the top, and in the folders there."""
    inside = Inside(folder.root)
    for entry in folder.entries:
        if entry.is_dir() and inside.holds(entry.path):
            for file in visible(entry.path):
                if not file.is_dir() and not is_document(file.name):
                    yield os.path.join(entry.name, file.name)
        elif not entry.is_dir() and not is_document(entry.name):
            yield entry.name
