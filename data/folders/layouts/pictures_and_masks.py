"""Pictures in one folder, and in another the masks that say what their pixels show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from data.columns import Column, Mask
from data.errors import DataRefused
from data.folders.files import printable
from data.folders.layouts.base import Folder, Item, Layout, Problem, refuse_link_out, required, shuffled
from data.folders.layouts.two_folders import TwoFolders


class PicturesAndMasks(TwoFolders):
    """`images/` and `masks/`, in which what belongs together has one name but for the ending."""

    known: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        ("images", "image", "imgs", "img", "jpegimages"),
        ("masks", "mask", "segmentationclass", "labels", "annotations"),  # Pascal VOC's `Annotations` are no masks
    )
    nouns: ClassVar[tuple[str, str]] = ("picture", "mask")

    @classmethod
    def columns_of(cls, columns: Mapping[str, Column]) -> tuple[str, str] | None:
        pictures = [name for name, column in columns.items() if column.is_picture and column.in_folder]
        masks = [name for name, column in columns.items() if isinstance(column, Mask)]
        if len(pictures) == len(masks) == 1 and required(columns) <= {pictures[0], masks[0]}:
            return pictures[0], masks[0]
        return None

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not cls.columns_of(columns):
            return ""
        return (
            "  train/images/1.jpg\n"
            "  train/masks/1.png   of equal size; the number of a pixel's class in each pixel\n"
            "  eval/               the same\n"
            "  classes.txt         if there is one: a class a line, or a class and its colour"
        )

    def item(self, prefix: str, stem: str, names: tuple[str, str]) -> Item:
        if any(names):
            return super().item(prefix, stem, names)
        reason = f"named in ImageSets/Segmentation/, and not in {self.folders[0]}/ nor {self.folders[1]}/"
        return Item(prefix + printable(stem), None, {}, Problem(None, reason))


def find_voc_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder as Pascal VOC and tools after it have it: `ImageSets/Segmentation/train.txt` and `val.txt`
    name those pictures of `JPEGImages/` that have a mask in `SegmentationClass/`. Empty if it is not.

    Raises:
      DataRefused: one of the lists is missing or cannot be read.
    """
    lists = root / "ImageSets" / "Segmentation"
    if PicturesAndMasks.columns_of(columns) is None or not (lists / "train.txt").is_file():
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
        layouts[split] = replace(whole, names=names, stems=shuffled(f"{split}/", names))
    return layouts
