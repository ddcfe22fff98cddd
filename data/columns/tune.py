"""Tunes in ABC notation or MIDI files, kept as texts of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value, show
from data.columns.document import text_of_file
from data.columns.passage import InFile
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject

MIDI = (".mid", ".midi")


@dataclass(frozen=True, kw_only=True)
class Tune(Column):
    """A melody, kept as one text: `maj M:6/8 | G3/2 A/2 c | ...`, tokens with a space between them.

    `data.media.tunes` says which tokens there are. It is read from ABC, in a table or in a file of one tune or of many,
    or from a MIDI file. The text is moved to C; a tune that stands in two keys is the same text.

    Features: the text; `NAME_keynote`, as `Bb`; `NAME_metre`, as `6/8`; `NAME_tokens`, how many tokens there are.
    """

    noun: ClassVar[str] = "tune"
    suffixes: ClassVar[tuple[str, ...]] = (".abc", *MIDI)
    may_be_file: ClassVar[bool] = True
    max_tokens: int = 2_000

    def names_file(self, value: Any) -> bool:
        return isinstance(value, InFile)

    def in_file(self, path: str) -> Any:
        return InFile(path)

    def features(self, name: str) -> dict[str, Feature]:
        def derived(**more: Any) -> Feature:
            return Feature("bytes", optional=self.optional, derived=True, **more)

        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_keynote": derived(),
            f"{name}_metre": derived(),
            f"{name}_tokens": Feature(
                "int64", minimum=1, maximum=self.max_tokens, optional=self.optional, derived=True
            ),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not isinstance(value, (str, bytes)):
            raise BadValue(f"expected a tune in ABC, got {show(value)}")
        if isinstance(value, bytes) and value[:4] == b"MThd":
            from data.media import midi_tunes

            tune = midi_tunes.read(value)
        else:
            from data.media import abc

            tune = abc.read(text_of_file(value) if isinstance(value, bytes) else value)
        words = tune.text.split()
        if len(words) > self.max_tokens:
            raise BadValue(f"{len(words):,} notes and bars; must be {self.max_tokens:,} at most: cut the tune")
        return {
            name: tune.text.encode(),
            f"{name}_keynote": tune.keynote.encode(),
            f"{name}_metre": words[1].removeprefix("M:").encode(),
            f"{name}_tokens": len(words),
        }

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> str:
        return samples.abc(subject)
