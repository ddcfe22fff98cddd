"""COCO's instances and captions files, beside the pictures or as COCO itself is laid out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from data.columns import Boxes, Column, Mask, Texts, Value
from data.errors import DataRefused
from data.folders.coco import Instances
from data.folders.coco_captions import Captions
from data.folders.files import visible
from data.folders.layouts.base import (
    Folder,
    Item,
    Layout,
    Problem,
    example_file,
    refuse_link_out,
    refuse_no_file,
    relative,
    required,
)
from data.folders.layouts.metadata import NAMES as METADATA

NAMES = ("annotations.json", "_annotations.coco.json")
"""The second is Roboflow's."""


@dataclass(frozen=True)
class Coco(Layout):
    """A COCO instances or captions file, whose `file_name`s are relative to `folder`. Items come in the order of its
    `images`."""

    root: Path
    path: Path
    folder: Path
    said: Instances | Captions
    image: str
    objects: str
    """The column of boxes, of masks or of captions."""

    @classmethod
    def matches(cls, columns: Mapping[str, Column], folder: Folder) -> Self | None:
        found = [name for name in (*METADATA, *NAMES) if folder.holds(name)]
        if not _object_columns(columns) or not set(found) & set(NAMES):
            return None
        if len(found) > 1:
            raise DataRefused(f"{folder.path} holds both {found[0]} and {found[1]}", "Keep one of them.")
        return cls.read(folder.root, folder.path / found[0], folder.path, columns)

    @classmethod
    def read(cls, root: Path, path: Path, folder: Path, columns: Mapping[str, Column]) -> Self:
        image, objects = _object_columns(columns) or ("", "")
        refuse_link_out(root, path)
        refuse_no_file(path)
        if isinstance(columns[objects], Texts):
            return cls(root, path, folder, Captions(path), image, objects)
        return cls(root, path, folder, Instances(path, isinstance(columns[objects], Mask)), image, objects)

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not _object_columns(columns):
            return ""
        return (
            f"  train/annotations.json   COCO's {_form(columns)} form\n"
            f"  train/{example_file(columns):<18} as named in its images\n"
            "  eval/                    the same"
        )

    @classmethod
    def lack(cls, columns: Mapping[str, Column]) -> str:
        return f"no {' or '.join(NAMES)}"

    @property
    def words(self) -> str:
        return f"COCO's {relative(self.root, self.path).removesuffix('/')} and the files it names"

    @property
    def class_numbers(self) -> Mapping[int, str]:
        return self.said.class_names if self.said.outlined else {}

    def items(self) -> Iterator[Item]:
        file = relative(self.root, self.path).removesuffix("/")
        for picture in self.said.pictures():
            place = f"{file}, {picture.place}"
            if picture.reason:
                yield Item(place, None, {}, Problem(None, picture.reason))
            else:
                objects = self.said.value(picture)
                yield Item(place, None, {self.image: picture.file_name, self.objects: objects})

    def remark(self, item: Item, features: Mapping[str, Value]) -> tuple[str, str] | None:
        objects = item.values.get(self.objects)
        size = (cast(int, features[f"{self.image}_width"]), cast(int, features[f"{self.image}_height"]))
        if not isinstance(objects, Mapping) or objects["size"] == size:
            return None
        return (
            self.objects,
            "scaled to the picture, which has another size than its description says, and the same shape",
        )


def find_coco_set(root: Path, columns: Mapping[str, Column]) -> dict[str, Layout]:
    """The splits of a folder as COCO itself is laid out: pictures in `train2017/` and `val2017/`, what is on them in
    `annotations/instances_train2017.json` and `instances_val2017.json`, of any year or none; where captions are asked
    for, `captions_train2017.json` and `captions_val2017.json`. Empty if it is not.

    Raises:
      DataRefused: one of the two is missing or there several times, has no folder, or is no such file.
    """
    folder = root / "annotations"
    if not _object_columns(columns) or not folder.is_dir():
        return {}
    refuse_link_out(root, folder)
    names, form = [entry.name for entry in visible(folder)], _form(columns)
    patterns = {"train": rf"{form}_(train\d*)\.json", "eval": rf"{form}_((?:val|eval)\d*)\.json"}
    files = {split: [m for name in names if (m := re.fullmatch(p, name))] for split, p in patterns.items()}
    if not any(files.values()):
        return {}
    layouts: dict[str, Layout] = {}
    for split, found in files.items():
        if len(found) != 1:
            there = " and ".join(match[0] for match in found) or f"no {form} file"
            fix = f"Put one {form}_train*.json and one {form}_val*.json there."
            raise DataRefused(f"{folder} holds {there} for {split}", fix)
        file, name = found[0].group(0, 1)
        pictures = next((path for path in (root / name, root / "images" / name) if path.is_dir()), None)
        if pictures is None:
            raise DataRefused(f"{root} lacks the folder {name}/", f"Put the pictures that {file} names there.")
        refuse_link_out(root, pictures)
        layouts[split] = Coco.read(root, folder / file, pictures, columns)
    return layouts


def _object_columns(columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """The picture and the column of boxes, of masks or of captions of a task that a COCO file can serve."""
    images = [name for name, column in columns.items() if column.is_picture and column.in_folder]
    objects = [name for name, column in columns.items() if isinstance(column, (Boxes, Mask, Texts))]
    if len(images) == len(objects) == 1 and required(columns) <= {images[0], objects[0]}:
        return images[0], objects[0]
    return None


def _form(columns: Mapping[str, Column]) -> str:
    """What the file of these columns is called."""
    return "captions" if any(isinstance(column, Texts) for column in columns.values()) else "instances"
