"""Class names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, FormField, Value, show, utf8
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True)
class CodedNames:
    """How a data set codes the class in the names of its files, without suffix: the first group of `pattern` is one of
    `classes`. `example` is such a name."""

    pattern: str
    classes: Mapping[str, str]
    example: str


@dataclass(frozen=True, kw_only=True)
class Label(Column):
    """A class name. `classes` closes the set; left empty, the classes are those of the train split.

    Where a folder is not split and is to be split by it, `strangers` is the share of names that only evaluation has;
    records of the others are split by their content. 0 keeps all records of one name on one side.

    With `open` the set stays open, as of people of whom some are met in evaluation first: no name is an anomaly, and
    classes need not be alike on both sides.

    `in_file_names` are the codes by which names of files may tell the class, where no folder and no table does.
    """

    noun: ClassVar[str] = "class name"
    is_class: ClassVar[bool] = True
    classes: tuple[str, ...] = field(default=())
    open: bool = False
    strangers: float = 0.0
    in_file_names: tuple[CodedNames, ...] = ()

    @property
    def names_in_files(self) -> Sequence[str]:
        return [coded.example for coded in self.in_file_names]

    def said_by_name(self, path: str) -> str | None:
        stem = PurePath(path).stem
        for coded in self.in_file_names:
            match = re.fullmatch(coded.pattern, stem)
            if match and match[1] in coded.classes:
                return coded.classes[match[1]]
        return None

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", categories=not self.open, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if isinstance(value, bool) or not isinstance(value, (str, Integral)) or not str(value).strip():
            raise BadValue(f"expected a class name, got {show(value)}")
        # One name has two spellings in Unicode, and folders on some systems use the other one.
        label = unicodedata.normalize("NFC", str(value).strip())
        if len(label.splitlines()) > 1:
            raise BadValue(f"a line break within the class name {show(label)}")  # vocabularies have a class per line
        if self.classes and label not in self.classes:
            raise BadValue(f"unknown class {show(label)}; known: {', '.join(self.classes)}")
        return {name: utf8(label)}

    def form(self) -> FormField:
        return FormField(kind="choice", choices=self.classes) if self.classes else FormField(kind="text")

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        value = features.get(name)
        return (value.decode(),) if isinstance(value, bytes) and not self.open else ()

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return samples.class_name(self.classes, subject.kind)
