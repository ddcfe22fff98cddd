"""Texts that stand in a table or in files of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from data.columns.base import Value
from data.columns.document import text_of_file
from data.columns.text import Text


class InFile(str):
    """The path of the file that holds a text, where a text itself might stand."""


@dataclass(frozen=True, kw_only=True)
class Passage(Text):
    """A UTF-8 text as people of the field have it: in a table, or in a text file of its own in a folder for its class.

    Features as Text's.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    may_be_file: ClassVar[bool] = True

    def names_file(self, value: Any) -> bool:
        return isinstance(value, InFile)

    def in_file(self, path: str) -> Any:
        return InFile(path)

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return super().encode(name, text_of_file(value) if isinstance(value, bytes) else value)
