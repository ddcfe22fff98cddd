"""How far numbers and points lie from where they should be, from counts that add up over a set. Imports TFMA; import it
where it is used.

TFMA's own MeanAbsoluteError and MeanSquaredError merge the first of several accumulators twice (0.47,
`mean_regression_error.py`): a value then depends on how Beam cuts the set, and intervals come out far too wide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]


class MeanDistance(CountsMetric):
    """How far points lie from where they should be, on average, in the unit of their places `x, y, x, y, …`.
    Not-a-number are those that nobody recorded; NaN where nobody recorded any."""

    usual_name = "mean_distance"
    dimensions = 2

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        truth = label.reshape(-1, cls.dimensions).astype(np.float64)
        known = np.isfinite(truth).all(axis=1)
        if not known.any():
            return np.zeros(2)
        away = np.linalg.norm(truth - prediction.reshape(-1, cls.dimensions), axis=1)
        return np.array([away[known].sum(), known.sum()])

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1]) if counts[1] else float("nan")


class MeanDifference(MeanDistance):
    """The same of single numbers, the mean absolute error."""

    usual_name = "mean_difference"
    dimensions = 1


class AbsoluteError(MeanDifference):
    """The same of a number that every record has, so that there is a best constant answer: the median."""

    usual_name = "absolute_error"
    constant_like = "MeanAbsoluteError"


def mean(metric: type[MeanDistance], truths: Array, answers: Array) -> float:
    """The metric of examples in memory, `[examples, ...]` each."""
    counts = [metric.counts(*pair) for pair in zip(truths, answers, strict=True)]
    return metric.value(np.sum(counts, axis=0))
