"""BLEU, ROUGE-L and CIDEr-D of captions, however the set is divided."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
import sacrebleu
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.captions import CaptionBleu, CiderD, RougeL, cider_d, corpus_scores, rouge_l, words_of

CAPTIONS = ["a dog runs on the grass", "two cats", "the red bus", ""]
REFERENCES = [
    ["A dog runs on the green grass.", "a brown dog is running"],
    ["two cats sleep", "cats on a bed", "there are two cats"],
    ["a red bus in the city"],
    ["a bowl of soup"],
]
PAIRS = list(zip(CAPTIONS, REFERENCES, strict=True))


def elements() -> list[Any]:
    return [
        metric_types.StandardMetricInputs(
            {
                constants.LABELS_KEY: np.array([json.dumps(references).encode()], dtype=object),
                constants.PREDICTIONS_KEY: np.array(caption.encode(), dtype=object),
                constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
            }
        )
        for caption, references in PAIRS
    ]


@pytest.mark.parametrize("metric", [CaptionBleu(), RougeL(), CiderD()], ids=lambda metric: metric.name)
@pytest.mark.parametrize("parts", [[4], [1, 2, 1]])
def test_a_metric_is_that_of_the_whole_set_however_it_is_divided(metric: Any, parts: list[int]) -> None:
    [computation] = metric.computations(model_names=[""], output_names=[""])
    combine, inputs = computation.combiner, iter(elements())
    accumulators = []
    for count in parts:
        accumulator = combine.create_accumulator()
        for element in itertools.islice(inputs, count):
            accumulator = combine.add_input(accumulator, element)
        accumulators.append(accumulator)
    [value] = combine.extract_output(combine.merge_accumulators(accumulators)).values()
    assert value == pytest.approx(corpus_scores(CAPTIONS, REFERENCES)[metric.name])


def test_bleu_is_sacrebleus_with_all_references() -> None:
    plain = [" ".join(words_of(caption)) for caption in CAPTIONS]
    streams = [[" ".join(words_of(those[i])) if i < len(those) else None for those in REFERENCES] for i in range(3)]
    expected = sacrebleu.corpus_bleu(plain, streams, tokenize="none").score
    assert corpus_scores(CAPTIONS, REFERENCES)["bleu"] == pytest.approx(expected)


def test_rouge_takes_the_reference_that_is_most_alike() -> None:
    assert rouge_l("two cats", ["three dogs", "two black cats"]) == pytest.approx(2 * 1 * (2 / 3) / (1 + 2 / 3))


def test_cider_d_of_unigrams_by_hand() -> None:
    """Single words have no longer n-grams, so that a quarter of ten is all there is."""
    assert cider_d([("cat", ("cat",)), ("dog", ("dog",))]) == pytest.approx(10 / 4)
    said_twice = cider_d([("cat cat", ("cat",)), ("bird", ("dog",))])
    # The unigram's cosine is 1 x 1 / (2 x 1), since it is said twice; one word too many.
    assert said_twice == pytest.approx(10 / 4 * 0.5 * math.exp(-1 / 72) / 2)


def test_cider_d_is_ten_for_a_long_caption_word_for_word() -> None:
    same = [("a dog runs on grass", ("a dog runs on grass",)), ("two cats sleep in bed", ("two cats sleep in bed",))]
    assert cider_d(same) == pytest.approx(10)


def test_what_is_said_of_all_pictures_is_worth_nothing() -> None:
    references = [("a red ball", "a ball"), ("a blue ball", "a ball"), ("a green ball", "a ball")]
    hedged = cider_d([("a ball", those) for those in references])
    assert hedged == 0 < cider_d([(those[0], those) for those in references])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's dog, RUNNING!", ("a", "man's", "dog", "running")),
        ("赤いバス", ("赤", "い", "バス")),
        ("?!", ("?", "!")),
        ("", ()),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words
