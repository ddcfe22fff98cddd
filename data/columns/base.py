"""What a kind of column is, and the small conversions that several kinds share.

A task names its columns once (`columns = {"image": Image(), "label": Label()}`). From that come the tf.Example layout,
the TFDV schema, the checks of users' folders, the error messages and the arguments of `benison predict`.

A kind turns one value of a row into one or more *features* of a tf.Example: the value itself and, for media, small
derived numbers (`image_width`, `text_characters` …) on which statistics are computed in place of the bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

from data.errors import BadValue, WrongUse

DType = Literal["bytes", "int64", "float32"]
Scalar = bytes | int | float
Value = Scalar | list[bytes] | list[int] | list[float]

# pandas writes whole numbers beside missing ones as 3.0
_WHOLE = re.compile(r"[+-]?\d{1,40}(\.0*)?", re.ASCII)


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


def raw_features(columns: Mapping[str, Column]) -> dict[str, Feature]:
    """All features of a task's tf.Examples, by name, in the order of its columns.

    Raises:
      WrongUse: two columns give a feature of one name, of which one would overwrite the other.
    """
    found: dict[str, Feature] = {}
    owner: dict[str, str] = {}
    for key, column in columns.items():
        for name, feature in column.features(key).items():
            if name in found:
                raise WrongUse(
                    f"the columns {owner[name]!r} and {key!r} both give a feature called {name!r}",
                    "give one of the columns another name",
                )
            found[name], owner[name] = feature, key
    return found


def whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value.strip().partition(".")[0]) if _WHOLE.fullmatch(value.strip()) else None
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool) and math.isfinite(value):
        whole = math.floor(value)
        return int(whole) if value == whole else None
    return None


def real(value: Any) -> float:
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


def utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadValue(f"not valid UTF-8: {show(text)}") from None


def bounded(number: Any, minimum: float, maximum: float) -> Any:
    if not minimum <= number <= maximum:
        raise BadValue(f"{number} is out of bounds; must be {minimum} to {maximum}")
    return number


def show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
