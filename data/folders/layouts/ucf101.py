"""UCF101's own form: a folder a class, and beside them lists of the clips that are for training and for testing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.columns import ClipSource, Column
from data.errors import DataRefused
from data.folders.files import visible
from data.folders.layouts.base import Folder, Item, Layout, Problem, lines_of, refuse_link_out, shuffled
from data.folders.layouts.class_folders import ClassFolders, class_columns

LISTS = "ucfTrainTestlist"
"""Folder of the lists, where they do not lie beside the classes."""
CLIPS = "UCF-101"
"""Folder of the classes' folders, where these do not lie at the top."""
_LIST = re.compile(r"(train|test)list(\d+)\.txt")
_LINE = re.compile(r"(?P<path>[^/\\]+/[^/\\]+?)(?:\s+\d+)?")


@dataclass(frozen=True)
class ListedClips(ClassFolders):
    """Those clips of class folders that one list names, `CLASS/NAME.avi`, or `CLASS/NAME.avi 1` with its number."""

    said: str = ""
    wrong: tuple[tuple[int, str], ...] = ()
    """Lines that name no clip, by number, with the list's own name."""

    @property
    def words(self) -> str:
        return self.said

    def items(self) -> Iterator[Item]:
        yield from super().items()
        for row, name in self.wrong:
            yield Item(name, row, {}, Problem(None, "expected `CLASS/NAME.avi`, or `CLASS/NAME.avi 1`"))


def find_ucf_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder as UCF101 (Soomro et al. 2012) has it: `trainlist01.txt` and `testlist01.txt`, at the top
    or in `ucfTrainTestlist/`, name clips in folders of classes, at the top or in `UCF-101/`. Of several pairs of lists
    the first is taken. Empty if it is not.

    Raises:
      DataRefused: a list is missing or cannot be read.
    """
    if class_columns(columns) is None or not any(isinstance(column, ClipSource) for column in columns.values()):
        return {}
    lists, clips = (root / name if (root / name).is_dir() else root for name in (LISTS, CLIPS))
    found = sorted(match.group(2, 1) for entry in visible(lists) if (match := _LIST.fullmatch(entry.name)))
    if not found:
        return {}
    number = found[0][0]
    refuse_link_out(root, clips)
    whole = ClassFolders.matches(columns, Folder(root, clips))
    if whole is None:
        raise DataRefused(
            f"{lists} lists clips, and {clips} holds no folders of them", f"Put them into {root / CLIPS}."
        )
    pairs = len({number for number, _ in found})
    layouts: dict[str, Layout] = {}
    for split, name in (("train", f"trainlist{number}.txt"), ("eval", f"testlist{number}.txt")):
        listed = lines_of(root, lists / name, "List there a clip a line: CLASS/NAME.avi.")
        lines = {row: _LINE.fullmatch(line) for row, line in listed}
        layouts[split] = ListedClips(
            root,
            clips,
            whole.media,
            whole.label,
            whole.column,
            shuffled(f"{split}/", [clip["path"] for clip in lines.values() if clip]),
            others=whole.others,
            said=f"class-named subfolders and {name}" + (f"; of {pairs} pairs of lists the first" if pairs > 1 else ""),
            wrong=tuple((row, name) for row, clip in lines.items() if not clip),
        )
    return layouts
