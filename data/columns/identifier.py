"""Names or numbers of an open set."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from numbers import Integral
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns.base import Column, Feature, Value, show, utf8
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Identifier(Column):
    """The name or number of one of an open set, as of users or items; new ones are no anomaly.

    `in_file_names`: patterns of names of files, without suffix, whose first group is the value: of folders of files,
    where no table tells of it.
    """

    noun: ClassVar[str] = "identifier"
    max_characters: int = 1000
    in_file_names: tuple[str, ...] = ()

    def said_by_name(self, path: str) -> str | None:
        stem = PurePath(path).stem
        matches = (re.fullmatch(pattern, stem) for pattern in self.in_file_names)
        return next((match[1] for match in matches if match), None)

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", counted=False, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # pandas writes whole numbers beside missing ones as 3.0
        if isinstance(value, bool) or not isinstance(value, (str, Integral)) or not str(value).strip():
            raise BadValue(f"expected an identifier, got {show(value)}")
        text = unicodedata.normalize("NFC", str(value).strip())
        if len(text) > self.max_characters or len(text.splitlines()) > 1:
            raise BadValue(f"longer than {self.max_characters} characters or than one line: {show(text)}")
        return {name: utf8(text)}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        """One of several of the subject's kind: few of the first column, as of users, and more of later ones."""
        return f"{name}-{subject.kind}-{rng.integers(4 * (1 + subject.position))}"
