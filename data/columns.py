"""The kinds of column that a task's raw data may have.

A task names its columns once (`columns = {"image": Image(), "label": Label()}`). From that come the tf.Example layout,
the TFDV schema, the checks of users' folders, the error messages and the arguments of `benison predict`.

A kind turns one value of a row into one or more *features* of a tf.Example: the value itself and, for media, small
derived numbers (`image_width`, `text_characters` …) on which statistics are computed in place of the bytes.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, cast

DType = Literal["bytes", "int64", "float32"]
Scalar = bytes | int | float
Value = Scalar | list[bytes] | list[int] | list[float]

# pandas writes whole numbers beside missing ones as 3.0
_WHOLE = re.compile(r"[+-]?\d{1,40}(\.0*)?", re.ASCII)


class BadValue(ValueError):
    """One value that its column cannot take. The text is the reason shown to people and kept in the quarantine."""


@dataclass(frozen=True)
class Feature:
    """One feature of the tf.Example: `length` values of `dtype`, any number where that is None, none where `optional`.

    `counted` is false for media bytes, which would only burden the statistics. `minimum` and `maximum` bound numbers;
    `categories` is true for strings from a closed set, which the train split defines.
    """

    dtype: DType
    counted: bool = True
    minimum: float | None = None
    maximum: float | None = None
    categories: bool = False
    optional: bool = False
    derived: bool = False
    length: int | None = 1


@dataclass(frozen=True, kw_only=True)
class Column:
    """Base of all kinds. `optional` columns may be absent or empty; `description` is shown in docs and messages."""

    description: str = ""
    optional: bool = False
    is_media: ClassVar[bool] = False
    suffixes: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "value"

    def is_missing(self, value: Any) -> bool:
        """Whether a row's value stands for none: absent, null, not-a-number or an empty field."""
        return value is None or value == "" or (isinstance(value, float) and math.isnan(value))

    def features(self, name: str) -> dict[str, Feature]:
        """The features that this column gives a tf.Example, by feature name; the first is the value itself."""
        raise NotImplementedError

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        """One row's value as features.

        `value` is the content (bytes) of the file for media columns, else what the row holds (str, int, float).

        Raises:
          BadValue: the value is not one of this kind or lies outside its bounds.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Image(Column):
    """A picture in a file, kept encoded (PNG, JPEG, BMP or GIF: what TensorFlow decodes inside the graph).

    Sizes are in pixels. Every picture is decoded once on the way in, so that a truncated one is found here and not
    in the middle of training.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "picture"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
    min_size: int = 1
    max_size: int = 8192

    def features(self, name: str) -> dict[str, Feature]:
        side = Feature("int64", minimum=self.min_size, maximum=self.max_size, optional=self.optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_width": side,
            f"{name}_height": side,
            f"{name}_channels": Feature("int64", minimum=1, maximum=4, optional=self.optional, derived=True),
            f"{name}_bytes": Feature("int64", minimum=1, optional=self.optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not value:
            raise BadValue("the file is empty")
        from data.pictures import decoded_shape

        width, height, channels = decoded_shape(value, self.min_size, self.max_size)
        return {
            name: value,
            f"{name}_width": width,
            f"{name}_height": height,
            f"{name}_channels": channels,
            f"{name}_bytes": len(value),
        }


@dataclass(frozen=True, kw_only=True)
class Audio(Column):
    """A sound in a file of any rate and number of channels, kept as 16-bit mono WAV at its own rate.

    That is the one form that TensorFlow decodes inside the graph. Channels are averaged.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "sound"
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".mp3")
    min_seconds: float = 0.05
    max_seconds: float = 60.0

    def features(self, name: str) -> dict[str, Feature]:
        low, high, optional = self.min_seconds, self.max_seconds, self.optional
        return {
            name: Feature("bytes", counted=False, optional=optional),
            f"{name}_seconds": Feature("float32", minimum=low, maximum=high, optional=optional, derived=True),
            f"{name}_rate": Feature("int64", minimum=1, optional=optional, derived=True),
            f"{name}_channels": Feature("int64", minimum=1, optional=optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not value:
            raise BadValue("the file is empty")
        from data.sounds import as_wav

        wav, seconds, rate, channels = as_wav(value, self.min_seconds, self.max_seconds)
        return {name: wav, f"{name}_seconds": seconds, f"{name}_rate": rate, f"{name}_channels": channels}


@dataclass(frozen=True, kw_only=True)
class Text(Column):
    """A UTF-8 text; lengths in characters."""

    noun: ClassVar[str] = "text"
    min_characters: int = 1
    max_characters: int = 100_000

    def is_missing(self, value: Any) -> bool:
        return super().is_missing(value) and not (value == "" and self.min_characters == 0)

    def features(self, name: str) -> dict[str, Feature]:
        text = Feature("bytes", counted=False, optional=self.optional)
        low, high = self.min_characters, self.max_characters
        length = Feature("int64", minimum=low, maximum=high, optional=self.optional, derived=True)
        return {name: text, f"{name}_characters": length}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not isinstance(value, str):
            raise BadValue(f"expected a text, got {_show(value)}")
        if not self.min_characters <= len(value) <= self.max_characters:
            raise BadValue(f"{len(value)} characters; must be {self.min_characters} to {self.max_characters}")
        return {name: _utf8(value), f"{name}_characters": len(value)}


@dataclass(frozen=True, kw_only=True)
class Integer(Column):
    """A whole number within bounds."""

    noun: ClassVar[str] = "whole number"
    minimum: int = -(2**63)
    maximum: int = 2**63 - 1

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("int64", minimum=self.minimum, maximum=self.maximum, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = _whole(value)
        if number is None:
            raise BadValue(f"expected a whole number, got {_show(value)}")
        return {name: _bounded(number, self.minimum, self.maximum)}


@dataclass(frozen=True, kw_only=True)
class Number(Column):
    """A finite real number within bounds (stored as float32)."""

    noun: ClassVar[str] = "number"
    minimum: float = -3.4e38
    maximum: float = 3.4e38

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("float32", minimum=self.minimum, maximum=self.maximum, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = _real(value)
        if not math.isfinite(number):
            raise BadValue(f"expected a finite number, got {_show(value)}")
        return {name: _bounded(number, self.minimum, self.maximum)}


@dataclass(frozen=True, kw_only=True)
class Timestamp(Column):
    """A moment: ISO 8601 text, or seconds since 1970. Text without a time zone is taken as it stands.

    Features: seconds since 1970, int64, and the hour of the day, 0 to 23, as written.
    """

    noun: ClassVar[str] = "time"

    def features(self, name: str) -> dict[str, Feature]:
        hour = Feature("int64", minimum=0, maximum=23, optional=self.optional, derived=True)
        return {name: Feature("int64", optional=self.optional), f"{name}_hour": hour}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        moment = _moment(value)
        if moment is None:
            raise BadValue(f"expected a time such as 2026-01-31T14:00:00, got {_show(value)}")
        return {name: math.floor(moment.timestamp()), f"{name}_hour": moment.hour}


@dataclass(frozen=True, kw_only=True)
class Window(Number):
    """Of a number column in an ordered table, the last `steps` values up to and including the row's: float32 `[steps]`.

    Values within one table row are numbers; `data.windows` makes them into windows. A task with such columns has one
    Timestamp, and its Labels, if any, name the series that a row belongs to.
    """

    noun: ClassVar[str] = "number"
    steps: int = 24

    def features(self, name: str) -> dict[str, Feature]:
        low, high = self.minimum, self.maximum
        return {name: Feature("float32", minimum=low, maximum=high, optional=self.optional, length=self.steps)}


@dataclass(frozen=True, kw_only=True)
class Ahead(Column):
    """The value that the Window column `of` has `steps` rows later: a float32 that only training knows.

    It has no column of its own in a table.
    """

    noun: ClassVar[str] = "number"
    of: str
    steps: int = 1

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("float32", optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return {name: float(value)}


@dataclass(frozen=True, kw_only=True)
class Identifier(Column):
    """The name or number of one of an open set, as of users or items; new ones are no anomaly."""

    noun: ClassVar[str] = "identifier"
    max_characters: int = 1000

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", counted=False, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # pandas writes whole numbers beside missing ones as 3.0
        if isinstance(value, bool) or not isinstance(value, (str, Integral)) or not str(value).strip():
            raise BadValue(f"expected an identifier, got {_show(value)}")
        text = unicodedata.normalize("NFC", str(value).strip())
        if len(text) > self.max_characters or len(text.splitlines()) > 1:
            raise BadValue(f"longer than {self.max_characters} characters or than one line: {_show(text)}")
        return {name: _utf8(text)}


@dataclass(frozen=True, kw_only=True)
class Seed(Column):
    """A number that no folder holds: int64 from the record's content, or given by the person who predicts."""

    noun: ClassVar[str] = "whole number"

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("int64", optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        number = _whole(value)
        if number is None or not -(2**63) <= number < 2**63:
            raise BadValue(f"expected a whole number, got {_show(value)}")
        return {name: number}


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


@dataclass(frozen=True, kw_only=True)
class Label(Column):
    """A class name. `classes` closes the set; left empty, the classes are those of the train split."""

    noun: ClassVar[str] = "class name"
    classes: tuple[str, ...] = field(default=())

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", categories=True, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, bool) or not isinstance(value, (str, Integral)) or not str(value).strip():
            raise BadValue(f"expected a class name, got {_show(value)}")
        # One name has two spellings in Unicode, and folders on some systems use the other one.
        label = unicodedata.normalize("NFC", str(value).strip())
        if len(label.splitlines()) > 1:
            raise BadValue(f"a line break within the class name {_show(label)}")  # vocabularies have a class per line
        if self.classes and label not in self.classes:
            raise BadValue(f"unknown class {_show(label)}; known: {', '.join(self.classes)}")
        return {name: _utf8(label)}


def raw_features(columns: Mapping[str, Column]) -> dict[str, Feature]:
    """All features of a task's tf.Examples, by name, in the order of its columns."""
    return {name: feature for key, column in columns.items() for name, feature in column.features(key).items()}


def _moment(value: Any) -> datetime | None:
    seconds = _real(value)
    try:
        if math.isfinite(seconds):
            return datetime.fromtimestamp(seconds, UTC)
        if not isinstance(value, (str, datetime)):
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _objects(value: Any) -> list[Any]:
    """One mapping for each object, from either form or from its JSON text (as CSV holds it)."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise BadValue(f"expected a list of boxes, got {_show(value)}") from None
    if isinstance(value, Mapping):
        named = [value[key] for key in ("label", "labels", "category", "categories") if key in value]
        boxes = value.get("bbox")
        if not named or not isinstance(boxes, list) or not isinstance(named[0], list) or len(boxes) != len(named[0]):
            raise BadValue('expected "bbox" and "label" of the same length')
        return [{"bbox": box, "label": label} for box, label in zip(boxes, named[0], strict=True)]
    if not isinstance(value, list):
        raise BadValue(f"expected a list of boxes, got {_show(value)}")
    return value


def _object(number: int, value: Any) -> tuple[list[float], Any]:
    if not isinstance(value, Mapping) or not isinstance(value.get("bbox"), list) or "label" not in value:
        raise BadValue(f'box {number}: expected {{"bbox": [x, y, width, height], "label": name}}, got {_show(value)}')
    box = [_real(side) for side in value["bbox"]]
    if len(box) != 4 or not all(map(math.isfinite, box)) or box[2] <= 0 or box[3] <= 0:
        shown = _show(value["bbox"])
        raise BadValue(
            f"box {number}: expected [x, y, width, height], finite, with a width and height above 0, got {shown}"
        )
    return box, value["label"]


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value.strip().partition(".")[0]) if _WHOLE.fullmatch(value.strip()) else None
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        whole = math.floor(value)
        return int(whole) if value == whole else None
    return None


def _real(value: Any) -> float:
    """`value` as a float, NaN where it is no number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (str, Real, Decimal))
        or (isinstance(value, str) and "_" in value)
    ):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadValue(f"not valid UTF-8: {_show(text)}") from None


def _bounded(number: Any, minimum: float, maximum: float) -> Any:
    if not minimum <= number <= maximum:
        raise BadValue(f"{number} is out of bounds; must be {minimum} to {maximum}")
    return number


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
