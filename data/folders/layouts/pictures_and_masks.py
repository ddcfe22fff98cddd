"""Pictures in one folder, and in another the masks that say what their pixels show."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from data.columns import Column, Mask
from data.errors import DataRefused
from data.folders.files import Inside, printable, visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    Shuffled,
    has_suffix,
    refuse_link_out,
    relative,
    required,
)

PICTURES = ("images", "image", "imgs", "img", "jpegimages")
MASKS = ("masks", "mask", "segmentationclass", "labels", "annotations")
"""The first of them that there is: Pascal VOC's `Annotations` are no masks."""


@dataclass(frozen=True)
class PicturesAndMasks(Layout):
    """`images/` and `masks/`, in which what belongs together has one name but for the ending. Items come shuffled."""

    root: Path
    folder: Path
    columns: tuple[str, str]
    folders: tuple[str, str]
    names: Mapping[str, tuple[str, str]]
    """Of each stem the file in the one folder and in the other; empty where there is none."""
    stems: Shuffled

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        mask_columns = _mask_columns(columns)
        pictures, masks = (_first(folder, known) for known in (PICTURES, MASKS))
        if mask_columns is None or pictures is None or masks is None:
            return None
        found: dict[str, list[str]] = {}
        inside = Inside(folder.root)
        for place, (name, column) in enumerate(zip((pictures, masks), mask_columns, strict=True)):
            path = folder.folders[name]
            for file in visible(path) if inside.holds(str(path)) else ():
                if not file.is_dir() and has_suffix(file.name, columns[column].suffixes):
                    found.setdefault(os.path.splitext(file.name)[0], ["", ""])[place] = file.name
        if not any(all(pair) for pair in found.values()):
            return None
        names = {stem: (pair[0], pair[1]) for stem, pair in found.items()}
        stems = Shuffled(relative(folder.root, folder.path), list(names))
        return cls(folder.root, folder.path, mask_columns, (pictures, masks), names, stems)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not _mask_columns(columns):
            return ""
        return (
            "  train/images/1.jpg\n"
            "  train/masks/1.png   of equal size; the number of a pixel's class in each pixel\n"
            "  eval/               the same\n"
            "  classes.txt         if there is one: a class a line, or a class and its colour"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return "no images/ and masks/"

    @property
    def words(self) -> str:
        return f"pictures in {self.folders[0]}/ and their masks in {self.folders[1]}/"

    def items(self, shard: int, num_shards: int) -> Iterator[Item]:
        prefix = printable(relative(self.root, self.folder))
        for stem in self.stems.shard(shard, num_shards):
            picture, mask = (f"{f}/{n}" if n else "" for f, n in zip(self.folders, self.names[stem], strict=True))
            file = prefix + printable(picture or mask)
            if picture and mask:
                yield Item(file, None, dict(zip(self.columns, (picture, mask), strict=True)))
            elif not picture and not mask:
                reason = f"named in ImageSets/Segmentation/, and not in {self.folders[0]}/ nor {self.folders[1]}/"
                yield Item(prefix + printable(stem), None, {}, Problem(None, reason))
            elif picture:
                reason = f"no mask of this name in {self.folders[1]}/"
                yield Item(file, None, {}, Problem(self.columns[1], reason))
            else:
                reason = f"no picture of this name in {self.folders[0]}/"
                yield Item(file, None, {}, Problem(self.columns[0], reason))


def find_voc_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder as Pascal VOC and tools after it have it: `ImageSets/Segmentation/train.txt` and `val.txt`
    name those pictures of `JPEGImages/` that have a mask in `SegmentationClass/`. Empty if it is not.

    Raises:
      DataRefused: one of the lists is missing or cannot be read.
    """
    lists = root / "ImageSets" / "Segmentation"
    if _mask_columns(columns) is None or not (lists / "train.txt").is_file():
        return {}
    whole = PicturesAndMasks.matches(columns, Folder(root, root))
    if whole is None:
        return {}
    layouts: dict[str, Layout] = {}
    for split, name in (("train", "train.txt"), ("eval", "val.txt")):
        refuse_link_out(root, lists / name)
        try:
            stems = (lists / name).read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise DataRefused(f"{lists / name} cannot be read: {error}", "List there a name a line.") from None
        names = {stem: whole.names.get(stem, ("", "")) for stem in stems}
        layouts[split] = replace(whole, names=names, stems=Shuffled(f"{split}/", list(names)))
    return layouts


def _first(folder: Folder, known: tuple[str, ...]) -> str | None:
    """The folder that is called as one of `known`, the sooner the better."""
    by_name = {name.lower(): name for name in folder.folders}
    return next((by_name[name] for name in known if name in by_name), None)


def _mask_columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The picture and the mask column of a task that two folders can serve."""
    pictures = [name for name, column in columns.items() if column.is_picture and column.in_folder]
    masks = [name for name, column in columns.items() if isinstance(column, Mask)]
    if len(pictures) == len(masks) == 1 and required(columns) <= {pictures[0], masks[0]}:
        return pictures[0], masks[0]
    return None
