"""How well a score tells pairs of the same from pairs of two, from counts of scores that add up over a set.

Scores lie from 0 to 1, higher for pairs that are more alike; labels are 1 for the same, 0 for two. Kept are the
numbers of scores in each of `BINS` equal stretches, so that a rate is exact but for scores of one stretch. As
ISO/IEC 19795-1 has it, the false accept rate (FAR) is the share of pairs of two whose score reaches a threshold, the
false reject rate (FRR) the share of pairs of the same whose score does not. Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

BINS = 2_000
ALLOWED_FAR = 0.01
"""Share of pairs of two that may be taken for the same, of `TrueAcceptRate`."""


def histogram(labels: Array, scores: Array) -> Array:
    """Numbers of the scores of pairs of two, and of pairs of the same: int64 `[2, BINS]`."""
    places = np.clip((scores * BINS).astype(int), 0, BINS - 1)
    return np.stack([np.bincount(places[labels == label], minlength=BINS) for label in (0, 1)])


def rates(counts: Array) -> tuple[Array, Array]:
    """FAR and true accept rate (1 - FRR), float64 `[BINS + 1]`, by threshold: from one that no score reaches down to
    one that all do. NaN where there are no pairs of a kind."""
    reached = np.concatenate([np.zeros((2, 1)), np.cumsum(counts[:, ::-1], axis=1)], axis=1)
    with np.errstate(invalid="ignore"):
        far, accepted = reached / reached[:, -1:]
    return far, accepted


def equal_error_rate(counts: Array) -> float:
    """Where FAR and FRR are equal, on a straight line between the thresholds beside it."""
    far, accepted = rates(counts)
    more = far - (1 - accepted)  # rises from -1 to 1
    if np.isnan(more).any():
        return math.nan
    after = int(np.argmax(more >= 0))
    share = -more[after - 1] / (more[after] - more[after - 1])
    return float(far[after - 1] + share * (far[after] - far[after - 1]))


def area_under_curve(counts: Array) -> float:
    """Of the ROC: how often of a pair of the same and one of two the first scores higher; equal scores count half."""
    far, accepted = rates(counts)
    return float(np.trapz(accepted, far))


def true_accept_rate(counts: Array) -> float:
    """Of the lowest threshold that keeps FAR at `ALLOWED_FAR` or below."""
    far, accepted = rates(counts)
    return math.nan if np.isnan(far + accepted).any() else float(accepted[far <= ALLOWED_FAR].max())


def scores_of(labels: Array, scores: Array) -> dict[str, float]:
    """All three of pairs in memory, by the names that tasks give them."""
    counts = histogram(labels, scores)
    return {
        "eer": equal_error_rate(counts),
        "auc": area_under_curve(counts),
        "tar_at_far_1": true_accept_rate(counts),
    }


class _OfScores(CountsMetric):
    """Base of what follows from the scores of pairs, a prediction each: `measure`, of their histogram."""

    measure: ClassVar[staticmethod[[Array], float]]

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return histogram(np.ravel(label), np.ravel(prediction))

    @classmethod
    def value(cls, counts: Array) -> float:
        return cls.measure(counts)


class EqualErrorRate(_OfScores):
    usual_name = "eer"
    constant_value = 0.5
    measure = staticmethod(equal_error_rate)


class AreaUnderCurve(_OfScores):
    usual_name = "auc"
    constant_value = 0.5
    measure = staticmethod(area_under_curve)


class TrueAcceptRate(_OfScores):
    """Share of pairs of the same that are accepted where `ALLOWED_FAR` of the pairs of two are."""

    usual_name = "tar_at_far_1"
    constant_value = ALLOWED_FAR
    measure = staticmethod(true_accept_rate)


class DecisionAccuracy(CountsMetric):
    """Share of pairs whose decision, a prediction of 1 or 0, is right."""

    usual_name = "accuracy"
    constant_like = "SparseCategoricalAccuracy"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return np.array([int(np.ravel(label)[0] == np.ravel(prediction)[0]), 1], np.int64)

    @classmethod
    def value(cls, counts: Array) -> float:
        right, pairs = counts.tolist()
        return right / pairs if pairs else math.nan
