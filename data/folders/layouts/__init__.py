"""The forms that one split of a data folder may have.

A further one is a class in a module here, and a place in LAYOUTS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from data.columns import Column
from data.errors import DataRefused
from data.folders.files import printable, visible
from data.folders.layouts.base import Folder, Item, Layout, Problem, media_columns, table_fields
from data.folders.layouts.class_folders import ClassFolders, find_listed_set
from data.folders.layouts.coco import Coco, find_coco_set
from data.folders.layouts.conversations import Conversations
from data.folders.layouts.driving_log import DrivingLog
from data.folders.layouts.lj_speech import LjSpeech
from data.folders.layouts.metadata import Metadata
from data.folders.layouts.named_files import NamedFiles
from data.folders.layouts.pairs_txt import PairsTxt, find_lfw_set
from data.folders.layouts.picture_pairs import PicturePairs
from data.folders.layouts.pictures_and_masks import PicturesAndMasks, find_voc_set
from data.folders.layouts.plain_files import PlainFiles
from data.folders.layouts.rows import Rows
from data.folders.layouts.tagged import Conll, SeqFiles
from data.folders.layouts.text_files import TextFiles
from data.folders.layouts.text_rows import TextRows
from data.folders.layouts.tune_files import TuneFiles
from data.folders.layouts.two_sets import TwoSets
from data.folders.layouts.ucf101 import find_ucf_set

__all__ = [
    "LAYOUTS",
    "Folder",
    "Item",
    "Layout",
    "Problem",
    "example_tree",
    "find_coco_set",
    "find_layout",
    "find_lfw_set",
    "find_listed_set",
    "find_ucf_set",
    "find_voc_set",
    "refused",
    "table_fields",
]

LAYOUTS: tuple[type[Layout], ...] = (
    Coco,
    TextRows,
    LjSpeech,
    Metadata,
    DrivingLog,
    PairsTxt,
    PicturesAndMasks,
    PicturePairs,
    TwoSets,
    TuneFiles,
    PlainFiles,
    NamedFiles,
    ClassFolders,
    TextFiles,
    SeqFiles,
    Conll,
    Conversations,
    Rows,
)
"""Of those that match, the first is taken: what describes its files by a table goes before what only names them."""

_SHOWN = 8
_FOLDERS_TRIED = 20


def find_layout(columns: Mapping[str, Column], folder: Folder) -> Layout:
    """The layout of one split.

    Raises:
      DataRefused: it has none that these columns can be read from, or has a fault.
    """
    for kind in LAYOUTS:
        if layout := kind.matches(columns, folder):
            return layout
    raise refused(folder, columns)


def example_tree(columns: Mapping[str, Column]) -> str:
    """The forms in which a folder for these columns may be, as text, the simplest first."""
    kinds: list[type[Layout]] = [ClassFolders, PlainFiles, Metadata]
    kinds += [kind for kind in LAYOUTS if kind not in kinds]
    return "\nor\n".join(form for kind in kinds if (form := kind.example_tree(columns)))


def refused(folder: Folder, columns: Mapping[str, Column]) -> DataRefused:
    """The error for a folder in no form of ours: what is there, and where the data may be or the forms for just these
    columns."""
    lack = " and ".join(dict.fromkeys(kind.lack(columns) for kind in LAYOUTS if kind.example_tree(columns)))
    names = [printable(entry.name) + ("/" if entry.is_dir() else "") for entry in folder.entries]
    found = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "") if names else "nothing"
    if below := folder.deeper():
        fix = f"Give {below}."
    else:
        fix = _other_suffixes(folder, columns) + f"Bring it into this form:\n{example_tree(columns)}"
    return DataRefused(f"{folder.path}: {lack}; it holds {found}", fix)


def _other_suffixes(folder: Folder, columns: Mapping[str, Column]) -> str:
    """Says so where there are files, of other kinds than those that are read."""
    media = media_columns(columns)
    if not media:
        return ""
    places = [folder.path, *islice(folder.folders.values(), _FOLDERS_TRIED)]
    files = [Path(entry.name) for place in places for entry in visible(place) if not entry.is_dir()]
    column = columns[media[0]]
    others = Counter(file.suffix.lower() for file in files)
    if not others or set(others) & set(column.suffixes):
        return ""
    [(suffix, count)] = others.most_common(1)
    read = ", ".join(column.suffixes)
    return f"{count} files end in {suffix or 'nothing'}; a {column.noun} ends in {read}: convert them.\n"
