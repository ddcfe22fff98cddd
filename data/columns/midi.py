"""Tunes in MIDI files, kept as texts of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Midi(Column):
    """The notes of a MIDI file, kept as one text: `on_60 wait_50 off_60 ...`, tokens with a space between them.

    `data.media.midis` says which tokens there are, and makes a MIDI file of such a text again.

    Features: the text; `NAME_tokens` and `NAME_notes`, how many tokens it has and how many notes begin in it.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "MIDI file"
    suffixes: ClassVar[tuple[str, ...]] = (".mid", ".midi")
    max_tokens: int = 100_000

    def features(self, name: str) -> dict[str, Feature]:
        count = Feature("int64", minimum=1, maximum=self.max_tokens, optional=self.optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_tokens": count,
            f"{name}_notes": count,
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not value:
            raise BadValue("the file is empty")
        from data.media.midis import tokens

        text = tokens(value, self.max_tokens)
        words = text.split()
        notes = sum(word.startswith("on_") for word in words)
        return {name: text.encode(), f"{name}_tokens": len(words), f"{name}_notes": notes}

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        from data.media.midis import midi

        return samples.Media(".mid", midi(samples.tune(subject)))
