"""How well names are told, and strangers refused, from counts that add up over a set (open-set identification as in
ISO/IEC 19795-1).

A label is the place of a name, -1 of a stranger. A prediction is `nearest`, the place of the nearest name; `score`,
from 0 to 1, how near it is; or `answer`, `nearest` where the score reaches the model's threshold, else -1. Imports
TFMA; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric
from trainer.metrics.verification import histogram, rates

Array = np.ndarray[Any, Any]

FALSE_REFUSALS = 0.05
"""Share of the pictures of known people that may be refused, of `StrangersRefused`."""


def strangers_refused(counts: Array) -> float:
    """The share of strangers' scores below the highest threshold that refuses at most `FALSE_REFUSALS` of the known.

    `counts`: `trainer.metrics.verification.histogram` with 1 for the known. NaN without strangers, or without known.
    """
    taken, accepted = rates(counts)
    if np.isnan(taken + accepted).any():
        return math.nan
    return float(1 - taken[int(np.argmax(accepted >= 1 - FALSE_REFUSALS - 1e-9))])


def scores_of(labels: Array, nearest: Array, score: Array, threshold: float) -> dict[str, float]:
    """All of answers in memory, by the names that tasks give them; those that there is nothing for are left out."""
    known, answer = labels >= 0, np.where(score >= threshold, nearest, -1)
    found = {
        "rank_1": _mean((nearest == labels)[known]),
        "accuracy": _mean(answer == labels),
        "strangers_refused": strangers_refused(histogram(known.astype(int), score)),
        "false_refusals": _mean((answer == -1)[known]),
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _mean(values: Array) -> float:
    return float(np.mean(values)) if len(values) else math.nan


class _Share(CountsMetric):
    """Base of a share of examples: `held` and `counted` of each are 0 or 1. NaN where none is counted."""

    @classmethod
    def value(cls, counts: Array) -> float:
        held, counted = counts.tolist()
        return held / counted if counted else math.nan


class Rank1(_Share):
    """Share of the pictures of known people whose `nearest` name is their own, whatever the threshold."""

    usual_name = "rank_1"
    constant_like = "SparseCategoricalAccuracy"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        place = int(np.ravel(label)[0])
        return np.array([place >= 0 and place == int(np.ravel(prediction)[0]), place >= 0], np.int64)


class Decisions(_Share):
    """Share of all pictures whose `answer` is right: one's own name, and none for a stranger."""

    usual_name = "accuracy"
    constant_like = "SparseCategoricalAccuracy"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return np.array([int(np.ravel(label)[0]) == int(np.ravel(prediction)[0]), True], np.int64)


class FalseRefusals(_Share):
    """Share of the pictures of known people whose `answer` is no name."""

    usual_name = "false_refusals"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        known = int(np.ravel(label)[0]) >= 0
        return np.array([known and int(np.ravel(prediction)[0]) == -1, known], np.int64)


class StrangersRefused(CountsMetric):
    """`strangers_refused` of a set, by `score`."""

    usual_name = "strangers_refused"
    constant_value = FALSE_REFUSALS

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return histogram((np.ravel(label) >= 0).astype(int), np.ravel(prediction))

    @classmethod
    def value(cls, counts: Array) -> float:
        return strangers_refused(counts)
