"""chrF and BLEU of a whole set, beside sacrebleu's own, however the set is divided."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import sacrebleu
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.text import ChrF, CorpusBleu, corpus_scores

TRUTHS = [
    "En el principio crió Dios los cielos y la tierra.",
    "Y fué la luz.",
    "¿Dónde está el arca, que no la veo?",
    "Y vivió Noé trescientos y cincuenta años.",
    "はじめに神は天と地を創造した。",
]
PREDICTIONS = [
    "En el principio hizo Dios los cielos y la tierra",
    "",
    "¿Dónde está el arca?",
    "Y vivió Noé trescientos cincuenta años, y murió.",
    "はじめに天と地",
]


def combiner(metric: Any) -> Any:
    [computation] = metric.computations(model_names=[""], output_names=[""])
    return computation.combiner


def elements() -> list[Any]:
    return [
        metric_types.StandardMetricInputs(
            {
                constants.LABELS_KEY: np.array([truth.encode()], dtype=object),
                constants.PREDICTIONS_KEY: np.array(prediction.encode(), dtype=object),
                constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
            }
        )
        for truth, prediction in zip(TRUTHS, PREDICTIONS, strict=True)
    ]


def expected(metric: Any) -> float:
    score = sacrebleu.corpus_chrf if isinstance(metric, ChrF) else sacrebleu.corpus_bleu
    return score(PREDICTIONS, [TRUTHS]).score


@pytest.mark.parametrize("metric", [ChrF(), CorpusBleu()])
@pytest.mark.parametrize("parts", [[5], [1, 3, 1]])
def test_a_metric_is_sacrebleus_however_the_set_is_divided(metric: Any, parts: list[int]) -> None:
    combine, inputs = combiner(metric), iter(elements())
    accumulators = [
        combine.add_inputs(combine.create_accumulator(), itertools.islice(inputs, count)) for count in parts
    ]
    merged = combine.merge_accumulators([combine.create_accumulator(), *accumulators])
    [(key, value)] = combine.extract_output(merged).items()
    assert key.name == metric.name
    assert value == pytest.approx(expected(metric))
    assert 10 < value < 90


@pytest.mark.parametrize("metric", [ChrF(), CorpusBleu()])
def test_what_is_kept_does_not_grow_with_the_texts(metric: Any) -> None:
    combine = combiner(metric)
    one = combine.add_input(combine.create_accumulator(), elements()[0])
    all_of_them = combine.add_inputs(combine.create_accumulator(), elements() * 3)
    assert one.nbytes == all_of_them.nbytes < 200


def test_nothing_in_common_is_zero_and_all_is_a_hundred() -> None:
    assert corpus_scores(["abc def ghi jkl"], ["mno pqr stu vwx"]) == {"chrf": 0.0, "bleu": 0.0}
    assert corpus_scores(TRUTHS, TRUTHS) == pytest.approx({"chrf": 100.0, "bleu": 100.0})


def test_texts_in_memory_are_scored_by_the_same_measures() -> None:
    assert corpus_scores(PREDICTIONS, TRUTHS) == pytest.approx(
        {"chrf": expected(ChrF()), "bleu": expected(CorpusBleu())}
    )
