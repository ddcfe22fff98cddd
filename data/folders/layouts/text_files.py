"""Whole texts, each in a file of its own, which are read in excerpts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column, Excerpt
from data.columns.passage import InFile
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    is_document,
    only,
    relative,
    shuffled,
    wrong_suffix,
)


@dataclass(frozen=True)
class TextFiles(Layout):
    """Text files, also in folders below, of a task that needs nothing else. Items come shuffled."""

    root: Path
    folder: Path
    text: str
    suffixes: tuple[str, ...]
    paths: Sequence[str]
    words = "text files"

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        name = only(columns, Excerpt)
        if name is None:
            return None
        suffixes = columns[name].suffixes
        prefix = relative(folder.root, folder.path)
        if not any(has_suffix(path, suffixes) for path in folder.below):
            return None
        return cls(folder.root, folder.path, name, suffixes, shuffled(prefix, folder.below))

    @classmethod
    def takes_file(cls, columns: Mapping[str, Column], name: str) -> bool:
        text = only(columns, Excerpt)
        return text is not None and has_suffix(name, columns[text].suffixes)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if only(columns, Excerpt) is None:
            return ""
        return "  first.txt    texts in UTF-8, also in folders\n  second.txt   a fifth of them is held out, whole"

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return "no text files"

    def items(self) -> Iterator[Item]:
        prefix = relative(self.root, self.folder)
        for name in self.paths:
            file = printable(prefix + name)
            if is_document(name.rpartition("/")[2]):
                continue
            if has_suffix(name, self.suffixes):
                yield Item(file, None, {self.text: InFile(name)})
            else:
                yield Item(file, None, {}, Problem(self.text, wrong_suffix(self.suffixes)))
