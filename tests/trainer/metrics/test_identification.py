"""Names told and strangers refused, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.metrics import identification

LABELS = np.array([0, 1, 2, 2, -1, -1])
NEAREST = np.array([0, 1, 0, 2, 1, 2])
SCORES = np.array([0.9, 0.8, 0.7, 0.4, 0.75, 0.3])


def test_of_answers_in_memory() -> None:
    found = identification.scores_of(LABELS, NEAREST, SCORES, threshold=0.6)
    assert found["rank_1"] == 3 / 4
    assert found["accuracy"] == pytest.approx(3 / 6), "two known are named, one stranger is refused"
    assert found["false_refusals"] == 1 / 4
    assert found["strangers_refused"] == 1 / 2, "all the known are taken from 0.4 on"


@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array([-1, -1])])
def test_what_there_is_nothing_for_is_left_out(labels: np.ndarray) -> None:
    found = identification.scores_of(labels, np.array([0, 1]), np.array([0.5, 0.6]), threshold=0.1)
    assert "strangers_refused" not in found and all(map(math.isfinite, found.values()))
    assert ("rank_1" in found) == (labels[0] >= 0)


def test_metrics_come_to_what_is_found_in_memory() -> None:
    answer = np.where(SCORES >= 0.6, NEAREST, -1)
    found = identification.scores_of(LABELS, NEAREST, SCORES, threshold=0.6)
    of = {
        identification.Rank1: NEAREST,
        identification.Decisions: answer,
        identification.FalseRefusals: answer,
        identification.StrangersRefused: SCORES,
    }
    for metric, outputs in of.items():
        pairs = zip(LABELS, outputs, strict=True)
        counts = np.sum([metric.counts(np.array([label]), np.array(output)) for label, output in pairs], axis=0)
        assert metric.value(counts) == pytest.approx(found[metric.usual_name]), metric
    assert math.isnan(identification.Rank1.value(identification.Rank1.counts(np.array(-1), np.array(3))))


def test_so_many_of_the_known_may_be_refused_and_no_more() -> None:
    known, strangers = np.linspace(0.5, 0.9, 20), np.array([0.1, 0.5, 0.51, 0.95])
    labels = np.concatenate([np.zeros(20, int), np.full(4, -1)])
    found = identification.scores_of(labels, labels, np.concatenate([known, strangers]), threshold=0)
    assert found["strangers_refused"] == 3 / 4
