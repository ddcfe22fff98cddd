"""Error rates against jiwer and by hand, and however the set is divided."""

from __future__ import annotations

import unicodedata
from typing import Any

import jiwer
import numpy as np
import pytest
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.speech import CharacterErrorRate, Errors, WordErrorRate

TRUTHS = ["zero one two", "call extension nine", "hello", "über alles", "a b c d"]
TRANSCRIPTS = ["zero two", "call extension nine nine", "", "uber alles", "a b c d"]


def computed(metric: metric_types.Metric, pairs: list[tuple[str, str]], parts: int = 1) -> float:
    [computation] = metric.computations()
    combiner = computation.combiner
    accumulators = []
    for part in range(parts):
        accumulator = combiner.create_accumulator()
        for truth, transcript in pairs[part::parts]:
            accumulator = combiner.add_input(accumulator, inputs(truth, transcript))
        accumulators.append(accumulator)
    [rate] = combiner.extract_output(combiner.merge_accumulators(accumulators)).values()
    return float(rate)


def inputs(truth: str, transcript: str) -> metric_types.StandardMetricInputs:
    extracts: dict[str, Any] = {
        constants.LABELS_KEY: np.array([truth.encode()], object),
        constants.PREDICTIONS_KEY: np.array([transcript.encode()], object),
        constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
    }
    return metric_types.StandardMetricInputs(extracts)


def test_rates_are_jiwers() -> None:
    pairs = list(zip(TRUTHS, TRANSCRIPTS, strict=True))
    assert computed(WordErrorRate(), pairs) == pytest.approx(jiwer.wer(TRUTHS, TRANSCRIPTS))
    assert computed(CharacterErrorRate(), pairs) == pytest.approx(jiwer.cer(TRUTHS, TRANSCRIPTS))


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_parts_add_up_to_the_whole(parts: int) -> None:
    pairs = list(zip(TRUTHS, TRANSCRIPTS, strict=True))
    assert computed(WordErrorRate(), pairs, parts) == computed(WordErrorRate(), pairs)


def test_edits_by_hand() -> None:
    # one deleted, one replaced, one inserted, of four words
    assert Errors.of("one two three four", "two tree four five", "word") == Errors(3, 4)
    assert Errors.of("nine", "mine", "character").rate == 0.25
    assert Errors.of("one", "one and two and", "word").rate == 3.0


def test_case_spaces_and_spelling_in_unicode_do_not_count() -> None:
    assert Errors.of("  Élan\tVital ", unicodedata.normalize("NFD", "élan vital"), "character").edits == 0


def test_silence_counts_what_was_heard_in_it() -> None:
    assert Errors.of(" ", "two words", "word") == Errors(2, 0)
    assert np.isnan(computed(WordErrorRate(), [(" ", "")]))
