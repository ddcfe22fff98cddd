"""Two folders, in which what belongs together has one name but for the ending: the base of such layouts."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from data.columns import Column
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import Folder, Item, Layout, Problem, has_suffix, relative, shuffled


@dataclass(frozen=True)
class TwoFolders(Layout):
    """Items come shuffled. A subclass says what the folders may be called, the usual name first, and what they hold."""

    root: Path
    folder: Path
    columns: tuple[str, str]
    folders: tuple[str, str]
    names: Mapping[str, tuple[str, str]]
    """Of each stem the file in the one folder and in the other; empty where there is none."""
    stems: Sequence[str]

    known: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]]
    nouns: ClassVar[tuple[str, str]]

    @classmethod
    @abstractmethod
    def columns_of(cls, columns: Mapping[str, Column]) -> tuple[str, str] | None:
        """The columns of a task that the two folders can serve."""

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        served, (one, other) = cls.columns_of(columns), (first_folder(folder, known) for known in cls.known)
        if served is None or one is None or other is None:
            return None
        found: dict[str, list[str]] = {}
        inside = Inside(folder.root)
        for place, (name, column) in enumerate(zip((one, other), served, strict=True)):
            path = folder.folders[name]
            for file in visible(path) if inside.holds(str(path)) else ():
                if not file.is_dir() and has_suffix(file.name, columns[column].suffixes):
                    found.setdefault(os.path.splitext(file.name)[0], ["", ""])[place] = file.name
        if not any(all(pair) for pair in found.values()):
            return None
        names = {stem: (pair[0], pair[1]) for stem, pair in found.items()}
        stems = shuffled(relative(folder.root, folder.path), names)
        return cls(folder.root, folder.path, served, (one, other), names, stems)

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {cls.known[0][0]}/ and {cls.known[1][0]}/"

    @property
    def words(self) -> str:
        return f"{self.nouns[0]}s in {self.folders[0]}/ and their {self.nouns[1]}s in {self.folders[1]}/"

    def items(self) -> Iterator[Item]:
        prefix = printable(relative(self.root, self.folder))
        for stem in self.stems:
            yield self.item(prefix, stem, self.names[stem])

    def item(self, prefix: str, stem: str, names: tuple[str, str]) -> Item:
        """Of one stem, whose files are called so; `prefix` stands before them in messages."""
        one, other = (f"{folder}/{name}" if name else "" for folder, name in zip(self.folders, names, strict=True))
        file = prefix + printable(one or other)
        if one and other:
            return Item(file, None, dict(zip(self.columns, (one, other), strict=True)))
        lacking = 1 if one else 0
        reason = f"no {self.nouns[lacking]} of this name in {self.folders[lacking]}/"
        return Item(file, None, {}, Problem(self.columns[lacking], reason))


def first_folder(folder: Folder, known: tuple[str, ...]) -> str | None:
    """The folder that is called as one of `known`, the sooner the better."""
    by_name = {name.lower(): name for name in folder.folders}
    return next((by_name[name] for name in known if name in by_name), None)
