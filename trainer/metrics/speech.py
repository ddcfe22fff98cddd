"""Word and character error rates: edits that make the transcript from the true text, by the text's length.

Texts are compared lower-cased, composed (NFC) and with single spaces. Edits are counted by jiwer (Levenshtein 1966).
Rates may exceed 1. Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jiwer
import numpy as np

from trainer.metrics.counts import CountsMetric, text_of

Unit = Literal["word", "character"]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Errors:
    """Edits, and the words or characters of the true texts: two of them add up to that of both sets."""

    edits: int = 0
    length: int = 0

    @classmethod
    def of(cls, truth: str, transcript: str, unit: Unit) -> Errors:
        truth, transcript = normalised(truth), normalised(transcript)
        if not truth:  # jiwer takes no empty reference
            return cls(len(transcript.split() if unit == "word" else transcript), 0)
        counted = (jiwer.process_words if unit == "word" else jiwer.process_characters)(truth, transcript)
        missed = counted.substitutions + counted.deletions
        return cls(missed + counted.insertions, missed + counted.hits)

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.edits + other.edits, self.length + other.length)

    @property
    def rate(self) -> float:
        """NaN where there is no text."""
        return self.edits / self.length if self.length else float("nan")


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


class _ErrorRate(CountsMetric):
    unit: ClassVar[Unit]
    constant_value = 1.0  # of the empty transcript: every word and character is missing

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        errors = Errors.of(text_of(label), text_of(prediction), cls.unit)
        return np.array([errors.edits, errors.length])

    @classmethod
    def value(cls, counts: Array) -> float:
        return Errors(*counts.tolist()).rate


class WordErrorRate(_ErrorRate):
    usual_name, unit = "wer", "word"


class CharacterErrorRate(_ErrorRate):
    usual_name, unit = "cer", "character"
