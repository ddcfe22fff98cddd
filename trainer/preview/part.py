"""What a kind of part says of itself, and a preview: several parts under one title.

A kind is one class in one module of `trainer/preview/parts/`, and is found there: what a task gives it, how it lies on
disk, how it is shown on a page and how it is drawn. Nothing outside `trainer/preview` asks which kind a part is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

COLOURS = ("#1d6fd1", "#d9570a", "#12805c", "#9b3fb5", "#b58900", "#c22f5b")
"""Of what is drawn, in order."""

Record = Mapping[str, Any]
"""A part as it lies on disk, of the types of its kind's `form`."""
Shown_co = TypeVar("Shown_co", covariant=True)


class Page(Protocol[Shown_co]):
    """What a page can show: the report as HTML, the dashboard as its components. Texts are escaped by the page.

    `file` is a name in a record; `label` and `alt` say what is to be seen or heard to those who do not.
    """

    def picture(self, file: str, alt: str, width: int = 0, height: int = 0) -> Shown_co:
        """Small ones are enlarged without smoothing. Sides in pixels, 0 where they are not known."""

    def animation(self, file: str, still: str, alt: str, width: int, height: int) -> Shown_co:
        """A picture that moves; whoever has asked for less motion sees `still`, another file."""

    def divided(self, files: tuple[str, str], names: tuple[str, str], width: int, height: int) -> Shown_co:
        """Two pictures of one size, the second over the first, and a divider that is moved between them."""

    def layers(self, file: str, layers: Sequence[Mapping[str, str]], alt: str, width: int, height: int) -> Shown_co:
        """A picture, and pictures that lie over it until they are switched off: `file`, `name`, `colour` as #rrggbb."""

    def roll(self, file: str, seconds: float, alt: str) -> Shown_co:
        """A picture so many seconds wide, along which goes a mark while the sound below it plays."""

    def turns(self, turns: Sequence[Mapping[str, Any]], label: str) -> Shown_co:
        """A conversation: each turn's `text`, whether it `answers`, and a `note`, which may be empty."""

    def spectrogram(self, file: str, alt: str) -> Shown_co:
        """A picture that is stretched to the width of its place."""

    def player(self, file: str, label: str) -> Shown_co:
        """Of a sound."""

    def wave(self, stretches: Sequence[Sequence[float]], label: str) -> Shown_co:
        """`stretches`: lowest and highest value of each, from -1 to 1."""

    def text(self, pieces: Sequence[tuple[str, bool]]) -> Shown_co:
        """A text in pieces, each with whether it is marked."""

    def bars(self, rows: Sequence[Mapping[str, Any]]) -> Shown_co:
        """`rows`: name, length in percent, and the value as text (`shown`)."""

    def lines(self, series: Mapping[str, Sequence[Sequence[Any]]], x_label: str, y_label: str, label: str) -> Shown_co:
        """`series`: name -> [x, y] pairs, of which at least one has a y; a y that is None leaves a gap."""

    def note(self, words: str) -> Shown_co:
        """Said in small print."""

    def missing(self, words: str) -> Shown_co:
        """Said in the place of what cannot be shown."""


@dataclass(frozen=True)
class Place:
    """Where a part writes its files: below `directory`, each with a suffix of its own after `stem`."""

    directory: Path
    stem: Path

    def file(self, suffix: str) -> Path:
        return self.stem.with_suffix(suffix)

    def name(self, suffix: str) -> str:
        """Of a file, as a record names it."""
        return self.file(suffix).relative_to(self.directory).as_posix()


class Part(ABC):
    """Base of all kinds. `caption` stands above a part, where it is not empty.

    Attributes:
      kind: its name on disk.
      form: a TypedDict, of whose types a record of it is; what older runs left lacks what is not required there.
      room: how many small pictures wide it should be; 0 fits under a picture.
    """

    kind: ClassVar[str]
    form: ClassVar[type]
    room: ClassVar[int] = 2
    caption: str

    @abstractmethod
    def record(self, place: Place) -> dict[str, Any]:
        """What JSON can hold of it, all but kind and caption; media are written to files of `place`."""

    @classmethod
    @abstractmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> Sequence[Shown_co]:
        """A record of it on a page, below its caption. `others` are the records of the preview's other parts."""

    @abstractmethod
    def draw(self, axes: Any) -> None:
        """Draws it with Matplotlib, on axes that are switched off, without the caption."""

    @classmethod
    def fills_row(cls, record: Record) -> bool:
        """Whether it stands in a row of its own."""
        return True

    def medium(self) -> bytes | np.ndarray | None:
        """The picture or sound that it is, if it is nothing else: that which lies in a file already is not drawn."""
        return None


@dataclass(frozen=True)
class Preview:
    """`correct` is None where there is no truth to compare with; `slice`: column -> value, as in the metrics."""

    title: str
    correct: bool | None
    slice: Mapping[str, str]
    parts: Sequence[Part]
