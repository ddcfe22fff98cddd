"""Texts in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import FormField, Value
from data.columns.text import Text
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


def text_of_file(content: bytes) -> str:
    """The text in a file, whose lines end in one line feed.

    Raises:
      BadValue: it is no UTF-8, or no text.
    """
    try:
        text = bytes(content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadValue(f"not valid UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
    if "\0" in text:
        raise BadValue("not a text: it holds a zero byte")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, kw_only=True)
class Document(Text):
    """A UTF-8 text in a file of its own; lines end in one line feed, whatever the file has. Features as Text's."""

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "text file"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    def is_missing(self, value: Any) -> bool:
        return value is None or value == ""

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        return super().encode(name, text_of_file(value))

    def form(self) -> FormField:
        return FormField(kind="file", suffixes=self.suffixes)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> Any:
        return samples.Media(".txt", subject.text[: self.max_characters].encode())
