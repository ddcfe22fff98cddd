"""COCO's instances files: the pictures of a split, and what is to be seen in them, in one JSON document.

The format is that of Lin et al. 2014, "Microsoft COCO: Common Objects in Context": an object with the arrays `images`
(`id`, `file_name`), `annotations` (`image_id`, `category_id`, `bbox` = x, y, width, height in pixels) and `categories`
(`id`, `name`), in any order. Of each object its box is kept or, where masks are asked for, its outline
(`segmentation`); of all else nothing. Crowds (`iscrowd`: many objects under one outline) have no boxes, as in training
on COCO everywhere else; their outlines say where it is not known what is seen.

Such a file may be larger than memory. It is decoded element by element, in one pass of about 20 MB a second; what stays
is 48 bytes an object and some 300 bytes a picture: 80 MB for as many as COCO's own `instances_train2017.json` has,
860,001 objects on 118,287 pictures. Outlines take 4 bytes a coordinate and some 300 bytes an object.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from data.errors import DataRefused
from data.media.outlines import BACKGROUND, Outline, Outlines, compact
from data.media.palettes import VOID

MAX_ELEMENT_CHARACTERS = 16 * 2**20

_CHUNK_CHARACTERS = 2**18
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Picture:
    """One entry of `images`, or with a `reason` an entry that cannot be used; `place` says which it is."""

    place: str
    file_name: Any = None
    objects: list[dict[str, Any]] = field(default_factory=list)
    outlines: list[Outline] = field(default_factory=list)
    size: tuple[int, int] | None = None
    """Width and height, as far as the entry says."""
    captions: list[str] = field(default_factory=list)
    reason: str = ""


class Instances:
    """What an instances file says of each picture: its boxes or, where `outlined`, its outlines.

    `class_names` are those of the masks' numbers: the categories' ids where all lie between 0 and 255, else their
    places among the ids in order, from 1 on.

    Raises:
      DataRefused: it is no such file: broken JSON, one of the three arrays missing, categories without id or name.
    """

    def __init__(self, path: Path, outlined: bool = False) -> None:
        self.outlined = outlined
        self._outlines: dict[int, list[tuple[Any, Any, bool]]] = {}  # number -> category id, segmentation, crowd
        self._numbers: dict[Any, int] = {}  # image id -> small number, in order of appearance
        self._pictures: dict[int, Any] = {}  # number -> file name
        self._seen_sizes: dict[tuple[int, int], tuple[int, int]] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._categories: dict[Any, str] = {}
        self._category_numbers: dict[Any, int] = {}
        self._image, self._category, self._sides = array("q"), array("q"), array("d")
        self._faults: dict[int, str] = {}
        self._strays: list[Picture] = []
        take = {"images": self._add_picture, "annotations": self._add_object, "categories": self._add_category}
        read_arrays(path, take, "instances")
        if outlined and len(self._categories) >= VOID:
            raise DataRefused(
                f"{path} has {len(self._categories)} categories; a mask can number {VOID - 1}", "Keep fewer of them."
            )
        self._class_numbers = _class_numbers(self._categories)
        self.class_names = {number: self._categories[key] for key, number in self._class_numbers.items()}
        self.class_names[0] = BACKGROUND

    def pictures(self) -> Iterator[Picture]:
        """Pictures in the order of the file, those without objects too, then what has no picture to belong to."""
        import numpy as np

        image, category = np.asarray(self._image), np.asarray(self._category)
        sides = np.asarray(self._sides).reshape(-1, 4)
        by_image = np.argsort(image, kind="stable")
        starts = np.searchsorted(image[by_image], np.arange(len(self._numbers) + 1))
        known, ids = list(self._category_numbers), list(self._numbers)
        for number, file_name in self._pictures.items():
            place, fault = f"image {shown(ids[number])}", self._faults.get(number, "")
            objects = []
            for one in by_image[starts[number] : starts[number + 1]]:
                name = self._categories.get(known[category[one]])
                if name is None:
                    fault = fault or f"an object of category {shown(known[category[one]])}, which categories lacks"
                objects.append({"bbox": sides[one].tolist(), "label": name})
            outlines = []
            for key, segmentation, crowd in self._outlines.get(number, ()):
                if key not in self._categories:
                    fault = fault or f"an object of category {shown(key)}, which categories lacks"
                else:
                    outlines.append(Outline(self._class_numbers[key], segmentation, crowd))
            size = self._sizes.get(number)
            yield Picture(place, reason=fault) if fault else Picture(place, file_name, objects, outlines, size)
        yield from self._strays
        for number in range(len(ids)):
            if number not in self._pictures:
                yield Picture(f"image {shown(ids[number])}", reason="annotations name it, and images lacks it")

    def value(self, picture: Picture) -> Any:
        """What the column of boxes or of masks is given of a picture."""
        if self.outlined:
            return Outlines(picture.size, picture.outlines, self.class_names)
        return {"objects": picture.objects, "size": picture.size} if picture.size else picture.objects

    def _add_picture(self, position: int, entry: Any) -> None:
        key = key_of(entry, "id")
        if key is None:
            self._strays.append(Picture(f"images[{position}]", reason="expected an object with an id and a file_name"))
            return
        number = self._number(key)
        if number in self._pictures:
            self._strays.append(Picture(f"images[{position}]", reason=f"the id {shown(key)} again"))
            return
        self._pictures[number] = entry.get("file_name")
        size = (entry.get("width"), entry.get("height"))
        if all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in size):
            self._sizes[number] = self._seen_sizes.setdefault(size, size)  # most pictures have a size that others have

    def _add_object(self, position: int, entry: Any) -> None:
        key = key_of(entry, "image_id")
        if key is None:
            self._strays.append(Picture(f"annotations[{position}]", reason="expected an object with an image_id"))
            return
        number = self._number(key)
        if self.outlined:
            self._add_outline(position, number, entry)
            return
        if entry.get("iscrowd"):
            return
        category, box = key_of(entry, "category_id"), entry.get("bbox")
        if category is None:
            self._faults.setdefault(number, f"annotations[{position}] has no category_id")
        elif not isinstance(box, list) or len(box) != 4 or not all(map(_is_finite, box)):
            shown = json.dumps(box)[:60]
            self._faults.setdefault(number, f"annotations[{position}]: expected [x, y, width, height], got {shown}")
        else:
            self._image.append(number)
            self._category.append(self._category_numbers.setdefault(category, len(self._category_numbers)))
            self._sides.extend(map(float, box))

    def _add_outline(self, position: int, number: int, entry: Any) -> None:
        category, segmentation = key_of(entry, "category_id"), compact(entry.get("segmentation"))
        if category is None:
            self._faults.setdefault(number, f"annotations[{position}] has no category_id")
        elif segmentation is None:
            shown = json.dumps(entry.get("segmentation"))[:60]
            self._faults.setdefault(number, f"annotations[{position}]: expected polygons or run lengths, got {shown}")
        else:
            self._outlines.setdefault(number, []).append((category, segmentation, bool(entry.get("iscrowd"))))

    def _add_category(self, position: int, entry: Any) -> None:
        key = key_of(entry, "id")
        if key is None or not isinstance(entry.get("name"), str):
            raise _Unfit(f"categories[{position}]: expected an object with an id and a name")
        if key in self._categories:
            raise _Unfit(f"categories[{position}]: the id {shown(key)} again")
        self._categories[key] = entry["name"]

    def _number(self, key: Any) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


class _Unfit(Exception):
    """Why a document is not what it should be."""


def key_of(entry: Any, name: str) -> Any:
    """An id, a whole number or a text; None where there is none."""
    key = entry.get(name) if isinstance(entry, dict) else None
    return key if isinstance(key, (int, str)) and not isinstance(key, bool) else None


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308


def _class_numbers(categories: Mapping[Any, str]) -> dict[Any, int]:
    if all(isinstance(key, int) and 0 < key < VOID for key in categories):
        return {key: key for key in categories}
    return {key: place for place, key in enumerate(sorted(categories, key=lambda key: (str(type(key)), key)), 1)}


def shown(key: Any) -> str:
    return repr(key)[:60]


def read_arrays(path: Path, take: Mapping[str, Callable[[int, Any], None]], kind: str) -> None:
    """Hands each element of a COCO file's top-level arrays to who takes it, with its position.

    Raises:
      DataRefused: it is no file of this `kind`: broken JSON, an array missing, or what takes it refuses it.
    """
    reason = ""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            lacking = take.keys() - _read_arrays(stream, take)
            reason = f"it lacks the array {', '.join(sorted(lacking))}" if lacking else ""
    except json.JSONDecodeError as error:
        reason = f"not valid JSON: {error.msg} (character {error.pos + 1})"
    except (_Unfit, ValueError, RecursionError) as error:
        reason = str(error)
    if reason:
        raise DataRefused(
            f"{path} is no COCO {kind} file: {reason}", f"Write it again, with the arrays {', '.join(take)}."
        )


def _read_arrays(stream: TextIO, take: Mapping[str, Callable[[int, Any], None]]) -> set[str]:
    """Hands each element of the top-level arrays to who takes it, with its position; returns the names that there were.

    Raises:
      ValueError: broken JSON or UTF-8 (json.JSONDecodeError, with a position in the whole document, or another).
    """
    document, found = _Document(stream), set()
    if document.next_character() != "{":
        raise _Unfit("expected a JSON object, {...}")
    for _ in document.members("}"):
        name = document.value()
        document.expect(":")
        if document.next_character() == "[":
            found.add(name)
            for position, _ in enumerate(document.members("]")):
                element = document.value()
                if name in take:
                    take[name](position, element)
        else:
            document.value()
    if document.next_character():
        raise document.broken("Extra data")
    return found


class _Document:
    """Decodes JSON value by value; the text held is that of one value, and a chunk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text, self._at, self._before = "", 0, 0  # `_before`: characters that were dropped already
        self._ended = False

    def next_character(self) -> str:
        """The next one that is no space, which stays; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def expect(self, characters: str) -> str:
        found = self.next_character()
        if not found or found not in characters:
            raise self.broken(f"Expecting {' or '.join(map(repr, characters))}")
        self._at += 1
        return found

    def members(self, closing: str) -> Iterator[None]:
        """Stops at each member of an object or array that begins here, for the caller to decode it."""
        self._at += 1
        if self.next_character() == closing:
            self._at += 1
            return
        while True:
            yield
            if self.expect("," + closing) == closing:
                return

    def value(self) -> Any:
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                position = self._before + error.pos
                if len(self._text) - self._at > MAX_ELEMENT_CHARACTERS:
                    message = f"{error.msg}, or a value of more than {MAX_ELEMENT_CHARACTERS} characters"
                    raise self.broken(message, position) from None
                if not self._more():
                    raise self.broken(error.msg, position) from None
            else:
                length = end - self._at
                # A number may have been cut, at worst in "1e+|5", of which 1 is read.
                if len(self._text) - end >= len("e+5") or not self._more():
                    self._at += length
                    return value

    def broken(self, message: str, position: int | None = None) -> json.JSONDecodeError:
        error = json.JSONDecodeError(message, "", 0)
        error.pos = self._before + self._at if position is None else position
        return error

    def _more(self) -> bool:
        if self._ended:
            return False
        self._before += self._at
        self._text, self._at = self._text[self._at :], 0
        more = self._stream.read(max(_CHUNK_CHARACTERS, len(self._text)))
        self._text += more
        self._ended = not more
        return not self._ended
