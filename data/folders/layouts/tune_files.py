"""Files of tunes: ABC with any number of tunes in each, and MIDI."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from data.columns import Column, Tune
from data.columns.document import text_of_file
from data.columns.tune import MIDI
from data.errors import BadValue
from data.folders.files import Inside, printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    is_document,
    only,
    relative,
    wrong_suffix,
)
from data.media import abc


@dataclass(frozen=True)
class TuneFiles(Layout):
    """ABC and MIDI files, also in folders below, of a task that needs nothing but tunes. A tune of an ABC file is a
    record by its number (`songs.abc, X:12`), and its first line."""

    root: Path
    folder: Path
    tune: str
    suffixes: tuple[str, ...]
    paths: tuple[str, ...]
    words = "files of tunes"

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        name = only(columns, Tune)
        if name is None:
            return None
        suffixes = columns[name].suffixes
        if not any(has_suffix(path, suffixes) for path in folder.below):
            return None
        return cls(folder.root, folder.path, name, suffixes, tuple(folder.below))

    @classmethod
    def takes_file(cls, columns: Mapping[str, Column], name: str) -> bool:
        tune = only(columns, Tune)
        return tune is not None and has_suffix(name, columns[tune].suffixes)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if only(columns, Tune) is None:
            return ""
        return (
            "  reels.abc    tunes in ABC, any number in a file, also in folders\n"
            "  1.mid        or MIDI files, each a tune"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return "no tunes in ABC or MIDI"

    def items(self) -> Iterator[Item]:
        inside, prefix = Inside(self.root), relative(self.root, self.folder)
        for path in self.paths:
            if has_suffix(path, self.suffixes) and not has_suffix(path, MIDI):
                yield from self._tunes(inside, prefix, path)
            elif not is_document(os.path.basename(path)):
                yield self._whole_file(prefix, path)

    def _whole_file(self, prefix: str, path: str) -> Item:
        file = printable(prefix + path)
        if not has_suffix(path, self.suffixes):
            return Item(file, None, {}, Problem(self.tune, wrong_suffix(self.suffixes)))
        return Item(file, None, {self.tune: Tune().in_file(path)})

    def _tunes(self, inside: Inside, prefix: str, path: str) -> Iterator[Item]:
        file = printable(prefix + path)
        try:
            text = text_of_file(inside.read(str(self.folder), path))
            found = list(abc.entries(text))
        except BadValue as error:  # BadFile too, as of a link that leads out of the folder
            yield Item(file, None, {}, Problem(self.tune, str(error), attack=bool(getattr(error, "attack", False))))
            return
        if not found:
            yield Item(file, None, {}, Problem(self.tune, "it holds no tune: each begins with X: and its number"))
        for entry in found:
            yield Item(f"{file}, X:{printable(entry.number)}", entry.line, {self.tune: entry.text})
