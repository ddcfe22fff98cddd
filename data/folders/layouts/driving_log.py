"""The log of Udacity's driving simulator: `driving_log.csv` and the pictures of three cameras in `IMG/`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from data.columns import Column
from data.errors import DataRefused
from data.folders import tables
from data.folders.files import printable
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    media_columns,
    refuse_link_out,
    refuse_no_file,
    relative,
    required,
)

NAME, PICTURES = "driving_log.csv", "IMG"
VIEWS = ("center", "left", "right")
FIELDS = (*VIEWS, "steering", "throttle", "brake", "speed")
"""Of its columns, in this order where there is no header."""
STRETCHES = 20
"""A log is parted into so many drives, each of which stays on one side of a split: rows beside each other are alike."""
ROWS_BEFORE = 5
"""The last action is that of so many rows before: half a second."""


@dataclass(frozen=True)
class DrivingLog(Layout):
    """Logs, each with its pictures in `IMG/` beside it: one here, or one in each folder here. A row names the pictures
    of up to three cameras, each of which is a record. Paths are those of the machine that recorded: of each the last
    part alone counts."""

    root: Path
    folder: Path
    logs: tuple[Path, ...]
    camera: str
    columns: Mapping[str, Column]

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        camera = _camera(columns)
        places = [folder.path] if folder.holds(NAME) else list(folder.folders.values())
        logs = tuple(place / NAME for place in places if (place / NAME).is_file())
        if camera is None or not logs:
            return None
        for path in logs:
            refuse_link_out(folder.root, path)
            refuse_no_file(path)
            _fields(path)
        return cls(folder.root, folder.path, logs, camera, columns)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if _camera(columns) is None:
            return ""
        return (
            f"  {NAME}   of Udacity's simulator: {','.join(FIELDS)}, with or without this header\n"
            f"  {PICTURES}/center_2016_12_01_13_30_48_287.jpg\n"
            f"(the same in train/ and eval/; else it is split by stretches of the drive)"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {NAME}"

    @property
    def words(self) -> str:
        views = [view for view in VIEWS if any(view in _fields(path) for path in self.logs)]
        return f"{NAME} with pictures of the cameras {', '.join(views)}; it holds no lidar, so that the cameras are all"

    def items(self) -> Iterator[Item]:
        for path in self.logs:
            yield from self._of_log(path)

    def _of_log(self, path: Path) -> Iterator[Item]:
        names = _fields(path)
        file = printable(relative(self.root, path).removesuffix("/"))
        length = max(1, -(-sum(1 for _ in _rows(path, names)) // STRETCHES))
        before: deque[Any] = deque(maxlen=ROWS_BEFORE)
        for place, row in enumerate(_rows(path, names)):
            if row.reason:
                yield Item(file, row.number, {}, Problem(None, row.reason))
                continue
            said = {name: row.values.get(name) for name in names if name not in VIEWS}
            said["episode"] = f"{file} {1 + place // length}"
            if place % length == 0:
                before.clear()
            pictures = {view: named for view in VIEWS if (named := str(row.values.get(view) or "").strip())}
            if not pictures:
                yield Item(file, row.number, {}, Problem(self.camera, "the row names no picture"))
            for view, named in pictures.items():
                last = {"last_steering": before[0]} if view == VIEWS[0] and len(before) == ROWS_BEFORE else {}
                values = {self.camera: self._picture(path, named), "view": view, **said, **last}
                yield Item(file, row.number, {name: value for name, value in values.items() if name in self.columns})
            before.append(said.get("steering"))

    def _picture(self, log: Path, named: str) -> str:
        """Relative to the folder of the split."""
        name = re.split(r"[\\/]", named)[-1]
        beside = log.parent / PICTURES if (log.parent / PICTURES).is_dir() else log.parent
        return relative(self.folder, beside) + name


def _camera(columns: Mapping[str, Column]) -> str | None:
    """The column of pictures of a task that learns to steer."""
    media = media_columns(columns)
    fits = len(media) == 1 and columns[media[0]].is_picture and required(columns) == {media[0], "steering"}
    return media[0] if fits else None


def _fields(path: Path) -> tuple[str, ...]:
    """The columns of a log.

    Raises:
      DataRefused: it has a header that names no picture or no steering, or none and not the usual columns.
    """
    first = tables.first_line(path)
    names = tuple(map(_plain, first))
    if VIEWS[0] in names and "steering" in names:
        return names
    fix = f"The header is {','.join(FIELDS)}; without one a row has these {len(FIELDS)} columns."
    if not _is_number(first[3] if len(first) > 3 else ""):
        raise DataRefused(
            f"{path} lacks the columns center and steering; it begins with {printable(','.join(first))}", fix
        )
    if len(first) != len(FIELDS):
        raise DataRefused(f"{path} has no header and {len(first)} columns", fix)
    return FIELDS


def _plain(name: str) -> str:
    return name.strip().lower()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rows(path: Path, names: tuple[str, ...]) -> Iterator[tables.Row]:
    return tables.csv_rows(path, names, header_first=VIEWS[0] in map(_plain, tables.first_line(path)))
