"""Labelled Faces in the Wild's own forms: a folder a person, and `pairs.txt` that says which pictures are compared; or
`pairsDevTrain.txt` and `pairsDevTest.txt`, its lists for developing a method."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from data.columns import Column, partner_of, sameness
from data.errors import DataRefused
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    has_suffix,
    media_columns,
    refuse_link_out,
    refuse_no_file,
    relative,
)

NAME = "pairs.txt"
_DEVELOPMENT = {"train": "pairsDevTrain.txt", "eval": "pairsDevTest.txt"}
_MAX_LINE = 1000
_SAME = re.compile(r"(?P<name>.+)\s+(?P<first>\d{1,9})\s+(?P<second>\d{1,9})")
_OTHER = re.compile(r"(?P<name>.+?)\s+(?P<first>\d{1,9})\s+(?P<other>.+?)\s+(?P<second>\d{1,9})")
_HEADER = re.compile(r"\d+(\s+\d+)?")


@dataclass(frozen=True)
class PairsTxt(Layout):
    """`pairs.txt` of lines `Ann 1 2`, two pictures of one person, and `Ann 1 Bob 3`, of two; the first line may count
    them. Picture 1 of Ann is `Ann/Ann_0001.jpg`, beside `pairs.txt` or in a folder beside it."""

    root: Path
    folder: Path
    media: str
    suffixes: tuple[str, ...]
    columns: tuple[str, str, str, str]
    """Of the partner's picture, the name, the partner's name, and whether these are the same."""
    table: str = NAME

    @property
    def words(self) -> str:
        return f"{self.table} and a folder a person"

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        return cls.of_table(columns, folder, NAME)

    @classmethod
    def of_table(cls, columns: Mapping[str, Column], folder: Folder, table: str) -> Self | None:
        """The layout of the pairs in one file of a folder, if it is there."""
        names = _pair_columns(columns)
        if names is None or not folder.holds(table):
            return None
        refuse_link_out(folder.root, folder.path / table)
        refuse_no_file(folder.path / table)
        media, *others = names
        columns_of_pair = (others[0], others[1], others[2], others[3])
        return cls(folder.root, folder.path, media, columns[media].suffixes, columns_of_pair, table)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not _pair_columns(columns):
            return ""
        return (
            "  train/pairs.txt   with lines `Ann 1 2` (two of Ann) and `Ann 1 Bob 3` (of two people), as LFW has it\n"
            "  train/Ann/Ann_0001.jpg\n"
            "  eval/             the same, of other people"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {NAME}"

    def items(self) -> Iterator[Item]:
        file = printable(relative(self.root, self.folder) + self.table)
        for row, line in self._lines():
            yield self._item(file, row, line)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Those that say a pair, by number."""
        try:
            text = (self.folder / self.table).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise DataRefused(f"{self.folder / self.table} cannot be read: {error}", "Save it as UTF-8.") from error
        for row, line in enumerate(text.splitlines(), 1):
            if line.strip() and not (row == 1 and _HEADER.fullmatch(line.strip())):
                yield row, line.strip()

    def _item(self, file: str, row: int, line: str) -> Item:
        same = _SAME.fullmatch(line) if len(line) < _MAX_LINE else None
        other = _OTHER.fullmatch(line) if len(line) < _MAX_LINE else None
        found = other or same
        if found is None:
            reason = "expected `NAME 1 2`, two pictures of one person, or `NAME 1 OTHER 3`, of two people"
            return Item(file, row, {}, Problem(None, reason))
        partner, by, of_partner, sameness = self.columns
        first = found["name"]
        second = other["other"] if other else first
        pictures: dict[str, str] = {}
        for column, name, which in ((self.media, first, found["first"]), (partner, second, found["second"])):
            path = self._picture(name, int(which))
            if path is None:
                reason = f"'{printable(name)}/{printable(name)}_{int(which):04}': there is no such file"
                return Item(file, row, {}, Problem(column, reason))
            pictures[column] = path
        names = {by: first, of_partner: second} if of_partner else {by: first}
        return Item(file, row, {**pictures, **names, sameness: int(first == second)})

    def _picture(self, name: str, which: int) -> str | None:
        """The path of a person's picture, whatever its suffix is."""
        return self._pictures.get((name, which))

    @cached_property
    def _pictures(self) -> Mapping[tuple[str, int], str]:
        """Of each person and number the path of the picture: the people's folders are listed once."""
        inside, found = Inside(self.root), {}
        for person, path in self._people(inside):
            for file in visible(path):
                stem = os.path.splitext(file.name)[0]
                name, _, digits = stem.rpartition("_")
                if name == person and digits.isascii() and digits.isdigit() and has_suffix(file.name, self.suffixes):
                    found[person, int(digits)] = os.path.relpath(file.path, self.folder)
        return found

    def _people(self, inside: Inside) -> Iterator[tuple[str, str]]:
        """Name and path of each person's folder: beside `pairs.txt`, or in one folder there, such as `lfw/`."""
        for entry in visible(self.folder):
            if entry.is_dir() and inside.holds(entry.path):
                below = [one for one in visible(entry.path) if one.is_dir() and inside.holds(one.path)]
                yield from ((one.name, one.path) for one in below)
                if not below:
                    yield entry.name, entry.path


def find_lfw_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder by LFW's lists of its View 1, which have no person in common. Empty where one is missing.

    Raises:
      DataRefused: a list is no file, or is not in the folder.
    """
    folder = Folder(root, root)
    found = {split: PairsTxt.of_table(columns, folder, table) for split, table in _DEVELOPMENT.items()}
    layouts: dict[str, Layout] = {split: layout for split, layout in found.items() if layout}
    return layouts if len(layouts) == len(_DEVELOPMENT) else {}


def _pair_columns(columns: Mapping[str, Column]) -> tuple[str, str, str, str, str] | None:
    """Of a task that compares two pictures: the picture, the partner's, the name, the partner's ("" where there is no
    column of it), and whether these are the same."""
    said = sameness(columns)
    media = [name for name in media_columns(columns) if not columns[name].drawn]
    partners = partner_of(columns)
    if said is None or len(media) != 1 or media[0] not in partners:
        return None
    same, by = said
    return media[0], partners[media[0]], by, partners.get(by, ""), same
