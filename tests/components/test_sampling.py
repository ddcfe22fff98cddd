"""Constant answers: what a metric of ours says of the best one."""

from __future__ import annotations

from collections import Counter

import pytest
import tensorflow_model_analysis as tfma

from components.sampling import _constant_answer


class LikeAnother:
    constant_like = "RootMeanSquaredError"


LABELS: Counter[float] = Counter({1.0: 3, 5.0: 1})


@pytest.mark.parametrize(
    ("module", "kind", "value"),
    [
        ("", "RootMeanSquaredError", 3**0.5),
        ("", "SparseCategoricalAccuracy", 0.75),
        (__name__, "LikeAnother", 3**0.5),  # the same by another name
        ("trainer.metrics.speech", "WordErrorRate", 1.0),
        ("trainer.metrics.classification", "MacroF1", 2 * 3 / (4 + 3) / 2),
        ("trainer.metrics.classification", "UnweightedAverageRecall", 1 / 2),
        ("trainer.metrics.classification", "AreaUnderCurve", 0.5),
    ],
)
def test_the_constant_answer_of_a_metric(module: str, kind: str, value: float) -> None:
    answer = _constant_answer(tfma.MetricConfig(module=module, class_name=kind))
    assert answer is not None and answer(LABELS) == pytest.approx(value)


def test_a_metric_of_ours_that_says_nothing_has_none() -> None:
    metric = tfma.MetricConfig(module="trainer.metrics.ranking", class_name="NdcgOfLists")
    assert _constant_answer(metric) is None
