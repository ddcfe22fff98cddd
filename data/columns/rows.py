"""From a row to features: the one way for all that reads examples, be it ingestion, a check, `predict` or a form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from data.columns.base import Column, Content, Value
from data.errors import BadFile, BadValue


class BadColumn(BadValue):
    """The value of `column` cannot be taken, for `reason`; `attack` where it names a file outside its folder."""

    def __init__(self, column: str, reason: str, attack: bool = False) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason
        self.attack = attack

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.column, self.reason, self.attack)


def encode_row(
    columns: Mapping[str, Column], values: Mapping[str, Any], read: Callable[[str, Any], Content]
) -> dict[str, Value]:
    """The features of one record.

    Each value is encoded, then reconciled with the other columns of the record; last, what nobody gave of the columns
    that no folder has to hold is derived.

    Args:
      values: what the row holds, by column; a BadValue where that cannot be read. Of media the name of a file.
      read: the content of the file that a media column names; of one that is `streamed` the file itself, opened, which
        is closed here. Raises BadFile.

    Raises:
      BadColumn: a value is missing, is not of its column's kind, or contradicts another column.
    """
    features: dict[str, Value] = {}
    lacking: list[str] = []
    for name, column in columns.items():
        value = values.get(name)
        if column.is_missing(value):
            if not column.in_folder or column.may_lack:
                lacking.append(name)
            elif not column.optional:
                raise BadColumn(name, "no value")
            continue
        with _Naming(name):
            if isinstance(value, BadValue):
                raise value
            features.update(_encoded(name, column, value, read))
    for name, column in columns.items():
        if name in features:
            with _Naming(name):
                for key, value in column.reconcile(name, features, columns).items():
                    if value is None:
                        del features[key]
                    else:
                        features[key] = value
    derive(columns, features, lacking)
    return features


def derive(columns: Mapping[str, Column], features: dict[str, Value], names: Sequence[str]) -> None:
    """Adds what follows from the other features of a record: the features of the columns `names`.

    Raises:
      BadColumn: what follows is not of its column's kind.
    """
    digest = content_digest(features, columns) if names else b""
    for name in names:
        with _Naming(name):
            features.update(columns[name].derive(name, features, digest))


def _encoded(name: str, column: Column, value: Any, read: Callable[[str, Any], Content]) -> dict[str, Value]:
    if not column.names_file(value):
        return column.encode(name, value)
    content = read(name, value)
    if isinstance(content, bytes):
        return column.encode(name, content)
    with content:
        return column.encode(name, content)


def content_digest(features: Mapping[str, Value], columns: Mapping[str, Column]) -> bytes:
    """16 bytes that are equal for equal inputs: the media if there are any, else all columns but the classes."""
    digest = hashlib.sha256()
    for name in _content(columns):
        value = features.get(name)
        content = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(b"%d " % len(content) + content)
    return digest.digest()[:16]


def _content(columns: Mapping[str, Column]) -> list[str]:
    media = [name for name, column in columns.items() if column.is_media and column.in_folder]
    inputs = [name for name, column in columns.items() if column.in_folder and not column.is_class]
    return media or inputs or list(columns)


class _Naming:
    """Adds the column to what is wrong with its value. Entered several times a record, so that it is no generator."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, BadValue) and not isinstance(error, BadColumn):
            attack = isinstance(error, BadFile) and error.attack
            raise BadColumn(self._name, str(error), attack) from error
