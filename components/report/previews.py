"""The parts of previews as HTML of the one-file report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


class ReportPage:
    """What `trainer.preview.part.Page` asks for, as HTML in which all texts are escaped: the macros of
    `templates/parts.html.j2`."""

    def __init__(self, templates: Environment) -> None:
        self._macros: Any = templates.get_template("parts.html.j2").module

    def picture(self, file: str, alt: str, width: int = 0, height: int = 0) -> Markup:
        return self._macros.picture(file, alt, width, height)

    def animation(self, file: str, still: str, alt: str, width: int, height: int) -> Markup:
        return self._macros.animation(file, still, alt, width, height)

    def divided(self, files: tuple[str, str], names: tuple[str, str], width: int, height: int) -> Markup:
        return self._macros.divided(files, names, width, height)

    def layers(self, file: str, layers: Sequence[Mapping[str, str]], alt: str, width: int, height: int) -> Markup:
        return self._macros.layers(file, layers, alt, width, height)

    def roll(self, file: str, seconds: float, alt: str) -> Markup:
        return self._macros.roll(file, seconds, alt)

    def turns(self, turns: Sequence[Mapping[str, Any]], label: str) -> Markup:
        return self._macros.turns(turns, label)

    def spectrogram(self, file: str, alt: str) -> Markup:
        return self._macros.spectrogram(file, alt)

    def player(self, file: str, label: str) -> Markup:
        return self._macros.player(file, label)

    def wave(self, stretches: Sequence[Sequence[float]], label: str) -> Markup:
        return self._macros.wave(stretches, label)

    def text(self, pieces: Sequence[tuple[str, bool]]) -> Markup:
        return self._macros.text(pieces)

    def bars(self, rows: Sequence[Mapping[str, Any]]) -> Markup:
        return self._macros.bars(rows)

    def lines(self, series: Mapping[str, Sequence[Sequence[Any]]], x_label: str, y_label: str, label: str) -> Markup:
        return self._macros.lines(series, x_label, y_label, label)

    def note(self, words: str) -> Markup:
        return self._macros.note(words)

    def missing(self, words: str) -> Markup:
        return self._macros.missing(words)
