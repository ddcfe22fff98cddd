"""The kinds of column that a task's raw data may have.

A task names its columns once (`columns = {"image": Image(), "label": Label()}`). From that come the tf.Example layout,
the TFDV schema, the checks of users' folders, the error messages and the arguments of `benison predict`.

A kind turns one value of a row into one or more *features* of a tf.Example: the value itself and, for media, small
derived numbers (`image_width`, `text_characters` …) on which statistics are computed in place of the bytes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

DType = Literal["bytes", "int64", "float32"]
Value = bytes | int | float

# pandas writes whole numbers beside missing ones as 3.0
_WHOLE = re.compile(r"[+-]?\d{1,40}(\.0*)?", re.ASCII)


class BadValue(ValueError):
    """One value that its column cannot take. The text is the reason shown to people and kept in the quarantine."""


@dataclass(frozen=True)
class Feature:
    """One feature of the tf.Example: exactly one value of `dtype`, or none where `optional`.

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
