"""Error rates of pairs, beside scikit-learn's and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from trainer.metrics import verification


def random_pairs(count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that are multiples of a bin, so that binning loses nothing."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count)
    places = np.clip(rng.normal(900 + 250 * labels, 200), 0, verification.BINS - 1).astype(int)
    return labels, (places + 0.5) / verification.BINS


def test_they_are_what_scikit_learn_finds() -> None:
    labels, scores = random_pairs()
    found = verification.scores_of(labels, scores)
    far, accepted, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found["tar_at_far_1"] == pytest.approx(accepted[far <= 0.01].max())
    after = np.argmax(far >= 1 - accepted)
    assert min(far[after - 1], 1 - accepted[after]) - 1e-9 <= found["eer"] <= max(far[after], 1 - accepted[after - 1])


@pytest.mark.parametrize(
    ("same", "different", "eer", "auc", "tar"),
    [
        ([0.8, 0.9], [0.1, 0.2], 0.0, 1.0, 1.0),
        ([0.1, 0.2], [0.8, 0.9], 1.0, 0.0, 0.0),
        ([0.5, 0.5], [0.5, 0.5], 0.5, 0.5, 0.0),
        ([0.9, 0.4], [0.6, 0.1], 0.5, 0.75, 0.5),
    ],
)
def test_by_hand(same: list[float], different: list[float], eer: float, auc: float, tar: float) -> None:
    labels = np.array([1] * len(same) + [0] * len(different))
    found = verification.scores_of(labels, np.array(same + different))
    assert found == {"eer": pytest.approx(eer), "auc": pytest.approx(auc), "tar_at_far_1": pytest.approx(tar)}


def test_counts_of_parts_add_up_to_the_whole() -> None:
    labels, scores = random_pairs()
    halves = [verification.histogram(labels[part], scores[part]) for part in (slice(300), slice(300, None))]
    whole = verification.histogram(labels, scores)
    assert (halves[0] + halves[1] == whole).all() and whole.sum() == 600
    one = verification.EqualErrorRate.counts(np.array([[1]]), np.array([0.25]))
    assert one.shape == whole.shape and one[1, verification.BINS // 4] == 1 and one.sum() == 1


@pytest.mark.parametrize("label", [0, 1])
def test_pairs_of_one_kind_have_no_rates(label: int) -> None:
    found = verification.scores_of(np.full(5, label), np.linspace(0, 1, 5))
    assert all(math.isnan(value) for value in found.values())


def test_a_decision_is_right_or_wrong() -> None:
    counts = sum(
        verification.DecisionAccuracy.counts(np.array(label), np.array(said)) for label, said in [(1, 1), (0, 1)]
    )
    assert verification.DecisionAccuracy.value(counts) == 0.5
