"""What a kind of column is, and the small conversions that several kinds share.

A kind is one class in one module: what it reads, what it gives, how a form asks for it, which classes it counts and how
a sample of it is made for tests. Nothing outside `data` asks which kind a column is.

A task names its columns once (`columns = {"image": Image(), "label": Label()}`). From that come the tf.Example layout,
the TFDV schema, the checks of users' folders, the error messages and the arguments of `benison predict`.

A kind turns one value of a row into one or more *features* of a tf.Example: the value itself and, for media, small
derived numbers (`image_width`, `text_characters` …) on which statistics are computed in place of the bytes.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Literal

from data.errors import BadValue, WrongUse

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject

DType = Literal["bytes", "int64", "float32"]
Scalar = bytes | int | float
Value = Scalar | list[bytes] | list[int] | list[float]
Content = bytes | BinaryIO
"""Of a file; or the file itself, opened for reading."""

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
class FormField:
    """How a form asks a person for one value of a column.

    `kind`: "file" (one of `suffixes`; a sound may be `recordable`), "text" (of several lines where `multiline`),
    "number" (from `minimum` to `maximum`, in steps of `step`, of any size where that is None), "choice" (one of
    `choices`) or "table" (a whole file of rows, of which this column is one). `default` stands in the field at first.
    """

    kind: Literal["file", "text", "number", "choice", "table"]
    suffixes: tuple[str, ...] = ()
    recordable: bool = False
    multiline: bool = False
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    default: str | int | float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """Base of all kinds. `optional` columns may be absent or empty; `description` is shown in docs and messages.

    Attributes:
      noun: what one value is called in messages.
      is_media: a table or folder holds the path of a file, of which `encode` gets the content.
      suffixes: how the names of such files end, lower case.
      streamed: `encode` gets such a file itself, opened for reading, however large it is, in place of its content.
      may_be_file: it is no medium, but folders for classes may hold each value as a file of its own.
      in_folder: false for what no folder holds, since it follows from the rest of the record (`derive`).
      may_lack: a folder holds it or does not, and so does each record; it follows from `derive` then.
      drawn: a folder may lack it, since records are paired then (`data.folders.pairs`), which gives it.
      in_form: whether a person may give it with an example to predict from.
      beside: files and folders at the top of a folder that `as_in` reads, and that are no records.
      is_time, is_class, is_picture: whether a value is a moment, the name of one class, a picture: what layouts and
        splits are told apart by.
    """

    description: str = ""
    optional: bool = False
    noun: ClassVar[str] = "value"
    is_media: ClassVar[bool] = False
    suffixes: ClassVar[tuple[str, ...]] = ()
    streamed: ClassVar[bool] = False
    may_be_file: ClassVar[bool] = False
    in_folder: ClassVar[bool] = True
    may_lack: ClassVar[bool] = False
    drawn: ClassVar[bool] = False
    in_form: ClassVar[bool] = True
    beside: ClassVar[tuple[str, ...]] = ()
    is_time: ClassVar[bool] = False
    is_class: ClassVar[bool] = False
    is_picture: ClassVar[bool] = False

    @property
    def rows_needed(self) -> int:
        """How many rows of an ordered table one value is made of."""
        return 1

    @property
    def rows_ahead(self) -> int:
        """How many rows later in an ordered table its value stands."""
        return 0

    @property
    def stand_in(self) -> Any:
        """What `encode` is given in prediction where a person gave nothing; None where a person has to."""
        return None

    def as_in(self, folder: Path) -> Column:
        """The column as a folder of data says that it is, as where a file in it names the classes.

        Raises:
          DataRefused: what the folder says is not clear.
        """
        return self

    def names_file(self, value: Any) -> bool:
        """Whether a row's value is the name of a file, of which `encode` gets the content."""
        return self.is_media

    def said_by_name(self, path: str) -> Any:
        """What the path of a record's file says of this column, where nothing else of its folder does; None for
        nothing."""
        return None

    def in_file(self, path: str) -> Any:
        """The value that is the content of a file, as `names_file` knows it."""
        return path

    @property
    def names_in_files(self) -> Sequence[str]:
        """Examples of names of files that tell a value, without suffix; none for columns that no name tells of."""
        return ()

    def is_missing(self, value: Any) -> bool:
        """Whether a row's value stands for none: absent, null, not-a-number or an empty field."""
        return value is None or value == "" or (isinstance(value, float) and math.isnan(value))

    @abstractmethod
    def features(self, name: str) -> dict[str, Feature]:
        """The features that this column gives a tf.Example, by feature name; the first is the value itself."""

    @abstractmethod
    def encode(self, name: str, value: Any) -> dict[str, Value]:
        """One row's value as features.

        `value` is the content (bytes) of the file for media columns, else what the row holds (str, int, float).

        Raises:
          BadValue: the value is not one of this kind or lies outside its bounds.
        """

    def reconcile(
        self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]
    ) -> Mapping[str, Value | None]:
        """Features to replace (None: to drop) once all columns of the record are encoded: what this one must share with
        others.

        Raises:
          BadValue: they contradict each other, as boxes that lie outside their picture.
        """
        return {}

    def follows_from(self, columns: Mapping[str, Column]) -> bool:
        """Whether `derive` finds a value with these columns; asked of columns that are not `in_folder`, or may lack."""
        return False

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        """The features of a column that is not `in_folder`, or may lack, where nobody gave a value.

        Args:
          features: those that the record's other columns have given.
          digest: 16 bytes that are equal for records of equal content.
        """
        return {}

    def default_features(self, name: str) -> dict[str, Value]:
        """The features of `stand_in`, which a served tf.Example may lack; none where there is no such value."""
        return {} if self.stand_in is None else self.encode(name, self.stand_in)

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        """The classes that one record has by this column, one as often as it occurs; none for kinds without classes."""
        return ()

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> Any:
        """A made-up value for tests, as a table holds it, or a `samples.Media` file; it tells of `subject`, so that it
        can be learnt. None of what no folder holds."""
        return None

    def form(self) -> FormField:
        """How a form asks for one value of it."""
        return FormField(kind="file", suffixes=self.suffixes) if self.is_media else FormField(kind="text")

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        """What `benison data check` should warn of in one good value: what was changed or looks odd, in words."""
        return ()


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
