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
        objects = [_object(number, one) for number, one in enumerate(_objects(value), 1)]
        label = Label(classes=self.classes)
        labels = [label.encode("", text)[""] for _, text in objects]
        sides = [side for box, _ in objects for side in box]
        return {name: sides, f"{name}_label": cast(list[bytes], labels), f"{name}_count": len(objects)}

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

    def reconcile(self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]) -> Mapping[str, Value]:
        """The boxes clipped to their picture, the first among the columns."""
        picture = next((key for key, column in columns.items() if column.is_picture and key in features), None)
        if picture is None:
            return {}
        width, height = cast(int, features[f"{picture}_width"]), cast(int, features[f"{picture}_height"])
        return {name: self.clipped(cast(list[float], features[name]), width, height)}

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return [label.decode() for label in cast(list[bytes], features.get(f"{name}_label", []))]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> list[dict[str, Any]]:
        return [{"bbox": box, "label": samples.class_name(self.classes, which)} for *box, which in subject.boxes]


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
