"""What Keras's metrics of classifiers lack. Imports TFMA; import it where it is used."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

LEAST_PROBABILITY = 1e-7
"""That an answer is taken to give any class, as in Keras."""


class CrossEntropy(CountsMetric):
    """Mean of -log of the probability given to the true class, in nats.

    A class that the model does not know, -1, has the least probability: the latest blessed model may have been trained
    on other classes. Keras's metric fails there.
    """

    usual_name = "cross_entropy"
    constant_like = "SparseCategoricalCrossentropy"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        probabilities, index = np.ravel(prediction), int(np.ravel(label)[0])
        given = float(probabilities[index]) if 0 <= index < len(probabilities) else 0.0
        return np.array([-math.log(max(given, LEAST_PROBABILITY)), 1.0])

    @classmethod
    def value(cls, counts: Array) -> float:
        total, examples = counts.tolist()
        return total / examples if examples else math.nan
