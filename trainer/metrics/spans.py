"""How well passages of texts are found: F1 of exact spans, as CoNLL's script counts them (Tjong Kim Sang & Buchholz
2000), from counts that add up over a set. seqeval gives the same. Imports TFMA; import it where it is used.

Passages are int64 `[n, 3]`: start, end and the place of the name, filled up with -1. A label of `NOT_JUDGED` all over
is of a text whose passages are not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

NOT_JUDGED = -2


def exact(truth: set[Any], found: set[Any]) -> Array:
    """How many passages of one text are found and are right, are found, and are there."""
    return np.array([len(truth & found), len(found), len(truth)], np.int64)


def f1(counts: Array) -> float:
    """The harmonic mean of precision and recall, micro-averaged; 1 where nothing is there and nothing was found."""
    right, found, there = counts.tolist()
    return 2 * right / (found + there) if found + there else 1.0


def score(truths: Iterable[set[Any]], found: Iterable[set[Any]]) -> float:
    """Of passages in memory, any hashable values, one set a text."""
    pairs = zip(truths, found, strict=True)
    return f1(np.sum([exact(*pair) for pair in pairs], axis=0))


class SpanF1(CountsMetric):
    """F1 of passages (predictions) by those that are there (labels): right is what has start, end and name right."""

    usual_name = "span_f1"
    constant_value = 0.0  # of finding nothing

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        truth, found = label.reshape(-1, 3), prediction.reshape(-1, 3)
        if (truth == NOT_JUDGED).any():
            return np.zeros(3, np.int64)
        # A name that training lacks has no place, and cannot be found; but it is there.
        return exact(
            {tuple(one) for one in truth.tolist() if one[0] >= 0}, {tuple(one) for one in found.tolist() if one[0] >= 0}
        )

    @classmethod
    def value(cls, counts: Array) -> float:
        return f1(counts)
