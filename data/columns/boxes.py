"""Objects in a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns import samples
from data.columns.base import Column, Feature, Value, real, show
from data.columns.label import Label
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Boxes(Column):
    """The objects in a picture: a list of `{"bbox": [x, y, width, height], "label": name}`, pixels from the top left.

    `{"objects": [...], "size": [width, height]}` says in a picture of which size they were measured.
    Hugging Face's `{"bbox": [[x, y, width, height], ...], "category" or "label": [name, ...]}` is read too. Features:
    x, y, width and height of each object in turn, float32, and the names, each of as many values as there are objects.

    A box has finite numbers and an area, and lies in its picture. One that sticks out by at most `MARGIN` pixel is
    clipped: COCO's numbers are rounded to hundredths, and sets that count pixels from 1, as Pascal VOC does, are one
    off. What sticks out by more was measured in another picture or at another size. Two of COCO train2017's 860,001
    objects have no height (918 and 2206849); their pictures are bad records, since what is there is not marked.
    """

    MARGIN: ClassVar[float] = 1.0
    noun: ClassVar[str] = "list of boxes"
    classes: tuple[str, ...] = field(default=())

    def features(self, name: str) -> dict[str, Feature]:
        return {
            name: Feature("float32", optional=self.optional, length=None),
            f"{name}_label": Feature("bytes", categories=True, optional=self.optional, length=None),
            f"{name}_count": Feature("int64", minimum=0, optional=self.optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        size = None
        if isinstance(value, Mapping) and "objects" in value:
            value, size = value["objects"], value.get("size")
        objects = [_object(number, one) for number, one in enumerate(_objects(value), 1)]
        label = Label(classes=self.classes)
        labels = [label.encode("", text)[""] for _, text in objects]
        sides = [side for box, _ in objects for side in box]
        found: dict[str, Value] = {name: sides, f"{name}_label": cast(list[bytes], labels)}
        if size is not None:
            found[self._size(name)] = list(size)
        return found | {f"{name}_count": len(objects)}

    def clipped(self, sides: list[float], width: int, height: int) -> list[float]:
        """The boxes, as the feature holds them, within a picture of `width` x `height` pixels.

        Raises:
          BadValue: one sticks out by more than `MARGIN`, or nothing of it lies in the picture.
        """
        inside: list[float] = []
        for start in range(0, len(sides), 4):
            box = x, y, w, h = sides[start : start + 4]
            left, top, right, bottom = max(x, 0.0), max(y, 0.0), min(x + w, float(width)), min(y + h, float(height))
            out = max(-x, -y, x + w - width, y + h - height)
            if out > self.MARGIN or left >= right or top >= bottom:
                shown = ", ".join(f"{side:g}" for side in box)
                raise BadValue(
                    f"box {start // 4 + 1} of [{shown}] reaches {out:g} pixels out of its picture of {width}x{height}"
                )
            inside += [left, top, right - left, bottom - top]
        return inside

    def reconcile(
        self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]
    ) -> Mapping[str, Value | None]:
        """The boxes clipped to their picture, the first among the columns, and scaled where they were measured in the
        same picture at another size."""
        picture = next((key for key, column in columns.items() if column.is_picture and key in features), None)
        if picture is None:
            return {self._size(name): None} if self._size(name) in features else {}
        width, height = cast(int, features[f"{picture}_width"]), cast(int, features[f"{picture}_height"])
        sides, said = cast(list[float], features[name]), cast(list[int] | None, features.get(self._size(name)))
        if said is None:
            return {name: self.clipped(sides, width, height)}
        scaled = _scaled(sides, said[0], said[1], width, height)
        return {name: self.clipped(scaled, width, height), self._size(name): None}

    def _size(self, name: str) -> str:
        """Stands among the features until the boxes are reconciled with their picture."""
        return f"{name} were measured in"

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return [label.decode() for label in cast(list[bytes], features.get(f"{name}_label", []))]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[dict[str, Any]]:
        return [{"bbox": box, "label": samples.class_name(self.classes, which)} for *box, which in subject.boxes]


def _scaled(sides: list[float], said_width: int, said_height: int, width: int, height: int) -> list[float]:
    """Boxes that were measured in a picture of another size, in pixels of this one.

    Raises:
      BadValue: the two have different shapes, by more than a pixel's rounding.
    """
    if (said_width, said_height) == (width, height):
        return sides
    across, down = width / said_width, height / said_height
    if abs(said_height * across - height) > 1 and abs(said_width * down - width) > 1:
        turned = (said_height, said_width) == (width, height)
        raise BadValue(
            f"its boxes are for a picture of {said_width}x{said_height} pixels, and it has {width}x{height}"
            + (": its sides are exchanged, as where a picture was turned and its boxes were not" if turned else "")
        )
    return [side * (across if place % 2 == 0 else down) for place, side in enumerate(sides)]


def _objects(value: Any) -> list[Any]:
    """One mapping for each object, from either form or from its JSON text (as CSV holds it)."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise BadValue(f"expected a list of boxes, got {show(value)}") from None
    if isinstance(value, Mapping):
        named = [value[key] for key in ("label", "labels", "category", "categories") if key in value]
        boxes = value.get("bbox")
        if not named or not isinstance(boxes, list) or not isinstance(named[0], list) or len(boxes) != len(named[0]):
            raise BadValue('expected "bbox" and "label" of the same length')
        return [{"bbox": box, "label": label} for box, label in zip(boxes, named[0], strict=True)]
    if not isinstance(value, list):
        raise BadValue(f"expected a list of boxes, got {show(value)}")
    return value


def _object(number: int, value: Any) -> tuple[list[float], Any]:
    if not isinstance(value, Mapping) or not isinstance(value.get("bbox"), list) or "label" not in value:
        raise BadValue(f'box {number}: expected {{"bbox": [x, y, width, height], "label": name}}, got {show(value)}')
    box = [real(side) for side in value["bbox"]]
    if len(box) != 4 or not all(map(math.isfinite, box)) or box[2] <= 0 or box[3] <= 0:
        shown = show(value["bbox"])
        raise BadValue(
            f"box {number}: expected [x, y, width, height], finite, with a width and height above 0, got {shown}"
        )
    return box, value["label"]
