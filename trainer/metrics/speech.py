"""Word and character error rates: edits that make the transcript from the true text, by the text's length.

Texts are compared lower-cased, composed (NFC) and with single spaces. Edits are counted by jiwer (Levenshtein 1966).
Rates may exceed 1. Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import apache_beam as beam
import jiwer
from tensorflow_model_analysis.metrics import metric_types, metric_util

Unit = Literal["word", "character"]


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


class _ErrorRate(metric_types.Metric):
    def __init__(self, unit: Unit, name: str) -> None:
        def computations(
            name: str, eval_config: Any = None, model_name: str = "", output_name: str = ""
        ) -> list[metric_types.MetricComputation]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, _ErrorCounts(key, unit, eval_config))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


class WordErrorRate(_ErrorRate):
    constant_value = 1.0  # of the empty transcript: every word is missing

    def __init__(self, name: str = "wer") -> None:
        super().__init__("word", name)


class CharacterErrorRate(_ErrorRate):
    constant_value = 1.0  # of the empty transcript: every character is missing

    def __init__(self, name: str = "cer") -> None:
        super().__init__("character", name)


class _ErrorCounts(beam.CombineFn):
    def __init__(self, key: Any, unit: Unit, eval_config: Any) -> None:
        self._key, self._unit, self._eval_config = key, unit, eval_config

    def create_accumulator(self) -> Errors:
        return Errors()

    def add_input(self, accumulator: Errors, element: Any) -> Errors:
        for truth, transcript, _ in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            flatten=False,
        ):
            accumulator += Errors.of(_text(truth), _text(transcript), self._unit)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Errors]) -> Errors:
        return sum(accumulators, Errors())

    def extract_output(self, accumulator: Errors) -> dict[Any, float]:
        return {self._key: accumulator.rate}


def _text(value: Any) -> str:
    return value.item().decode()
