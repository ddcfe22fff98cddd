"""COCO's captions files: the pictures of a split, and what people wrote of each, in one JSON document.

The format is that of Chen et al. 2015, "Microsoft COCO Captions": an object with the arrays `images` (`id`,
`file_name`) and `annotations` (`image_id`, `caption`), in any order. It is decoded element by element, in one pass;
what stays are the captions and some 300 bytes a picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.folders.coco import Picture, key_of, read_arrays, shown

NO_CAPTION = "no caption: no annotation names it"


class Captions:
    """What a captions file says of each picture.

    Raises:
      DataRefused: it is no such file: broken JSON, or one of the two arrays missing.
    """

    outlined = False
    class_names: Mapping[int, str] = {}

    def __init__(self, path: Path) -> None:
        self._pictures: dict[Any, Any] = {}  # image id -> file name
        self._captions: dict[Any, list[str]] = {}
        self._faults: dict[Any, str] = {}
        self._strays: list[Picture] = []
        take = {"images": self._add_picture, "annotations": self._add_caption}
        read_arrays(path, take, "captions")

    def pictures(self) -> Iterator[Picture]:
        """Pictures in the order of the file, those without captions too, then what has no picture to belong to."""
        for key, file_name in self._pictures.items():
            captions = self._captions.get(key, [])
            fault = self._faults.get(key, "" if captions else NO_CAPTION)
            yield Picture(f"image {shown(key)}", file_name, captions=captions, reason=fault)
        yield from self._strays
        for key in (self._captions | self._faults).keys() - self._pictures.keys():
            yield Picture(f"image {shown(key)}", reason="annotations name it, and images lacks it")

    def value(self, picture: Picture) -> list[str]:
        """What the column of texts is given of a picture."""
        return picture.captions

    def _add_picture(self, position: int, entry: Any) -> None:
        key = key_of(entry, "id")
        if key is None:
            self._strays.append(Picture(f"images[{position}]", reason="expected an object with an id and a file_name"))
        elif key in self._pictures:
            self._strays.append(Picture(f"images[{position}]", reason=f"the id {shown(key)} again"))
        else:
            self._pictures[key] = entry.get("file_name")

    def _add_caption(self, position: int, entry: Any) -> None:
        key = key_of(entry, "image_id")
        if key is None:
            self._strays.append(Picture(f"annotations[{position}]", reason="expected an object with an image_id"))
            return
        caption = entry.get("caption")
        if isinstance(caption, str) and caption.strip():
            self._captions.setdefault(key, []).append(caption)
        else:
            found = json.dumps(caption)[:60]
            self._faults.setdefault(key, f"annotations[{position}]: expected a caption, a text, got {found}")
