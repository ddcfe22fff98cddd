"""LJ Speech's own form, taken over by many sets of one voice: `metadata.csv` of lines with bars, and `wavs/`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from data.columns import Audio, Column, Text
from data.errors import DataRefused
from data.folders.files import printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    lines_of,
    relative,
    required,
)

NAME, SOUNDS = "metadata.csv", "wavs"
BAR = "|"
FIX = "Its lines are `ID|text` or `ID|text|text as it is spoken`, in UTF-8, without a header; ID.wav lies in wavs/."


@dataclass(frozen=True)
class LjSpeech(Layout):
    """A line is `ID|text`, or `ID|text|text as it is spoken`, of which the last is taken unless it is empty. No mark in
    it has a meaning of its own, quotation marks neither. The recording is `wavs/ID.wav`, or of another suffix."""

    root: Path
    folder: Path
    sound: str
    text: str
    suffixes: tuple[str, ...]
    words = f"{NAME} of lines with bars and {SOUNDS}/, as LJ Speech has it"

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        names = _columns(columns)
        if names is None or not folder.holds(NAME) or SOUNDS not in folder.folders:
            return None
        first = next(iter(lines_of(folder.root, folder.path / NAME, FIX)), None)
        if first is None:
            raise DataRefused(f"{folder.path / NAME} is empty", FIX)
        if BAR not in first[1]:
            return None
        return cls(folder.root, folder.path, *names, columns[names[0]].suffixes)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if _columns(columns) is None:
            return ""
        return (
            f"  {NAME}        with lines `LJ001-0001|in 1984|in nineteen eighty-four`, as LJ Speech has it\n"
            f"  {SOUNDS}/LJ001-0001.wav\n"
            "(the same in train/ and eval/; else it is split 80/20)"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {NAME}"

    def items(self) -> Iterator[Item]:
        file = printable(relative(self.root, self.folder) + NAME)
        for row, line in lines_of(self.root, self.folder / NAME, FIX):
            name, *texts = line.split(BAR)
            if not name or len(texts) not in (1, 2):
                reason = f"expected `ID|text` or `ID|text|text as it is spoken`, got {1 + len(texts)} fields"
                yield Item(file, row, {}, Problem(None, reason))
                continue
            path = self._recordings.get(name) or self._recordings.get(name.removesuffix(".wav"))
            if path is None:
                yield Item(file, row, {}, Problem(self.sound, f"there is no {SOUNDS}/{printable(name)}.wav"))
                continue
            spoken = [text.strip() for text in texts if text.strip()]
            yield Item(file, row, {self.sound: path, self.text: spoken[-1] if spoken else ""})

    @cached_property
    def _recordings(self) -> Mapping[str, str]:
        """ID -> path relative to the folder: the recordings are listed once."""
        names = [entry.name for entry in visible(self.folder / SOUNDS) if has_suffix(entry.name, self.suffixes)]
        return {os.path.splitext(name)[0]: f"{SOUNDS}/{name}" for name in names}


def _columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """Of a task that needs recordings and what is said in them, and nothing else, the names of both."""
    sounds = [name for name, column in columns.items() if isinstance(column, Audio)]
    texts = [name for name, column in columns.items() if type(column) is Text]
    if len(sounds) != 1 or not texts or required(columns) != {sounds[0], texts[0]}:
        return None
    return sounds[0], texts[0]
