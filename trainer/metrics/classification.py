"""What Keras's metrics of classifiers lack. Imports TFMA; import it where it is used."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric
from trainer.metrics.verification import area_under_curve

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


class _MeanOfClasses(CountsMetric):
    """Base of a mean over classes of something from 0 to 1, and of each class the same.

    Of each class three counts are summed over a set: right answers, answers, and examples. Examples of a class that the
    model does not know, -1, are one class more, which has 0.
    """

    @classmethod
    @abstractmethod
    def by_class(cls, counts: Array) -> dict[int, tuple[float, float]]:
        """Class -> the value that counts in the mean, and number of examples."""

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        probabilities, index = np.ravel(prediction), int(np.ravel(label)[0])
        return answer_counts(np.array([index]), np.array([int(probabilities.argmax())]), len(probabilities))

    @classmethod
    def value(cls, counts: Array) -> float:
        found = [value for value, _ in cls.by_class(counts).values()]
        return float(np.mean(found)) if found else math.nan

    @classmethod
    def scores(cls, labels: Array, probabilities: Array) -> dict[str, float]:
        """Of answers in memory, and their accuracy.

        Args:
          labels: class indices `[examples]`, -1 for one that is not known.
          probabilities: `[examples, classes]`.
        """
        answers = probabilities.argmax(axis=1)
        counts = answer_counts(labels, answers, probabilities.shape[1])
        return {cls.usual_name: cls.value(counts), "accuracy": float((answers == labels).mean())}

    @classmethod
    def of_classes(cls, counts: Array) -> dict[int, tuple[float, float]]:
        known = counts.shape[1] - 1
        return {index: pair for index, pair in cls.by_class(counts).items() if index < known}


class MacroF1(_MeanOfClasses):
    """The mean over classes of F1, the harmonic mean of precision and recall, and that of each class; 0 to 1. The mean
    is over classes of which there is an example or an answer."""

    usual_name = "macro_f1"
    constant_like = "MacroF1"

    @classmethod
    def by_class(cls, counts: Array) -> dict[int, tuple[float, float]]:
        right, answered, examples = counts
        return {
            int(index): (float(2 * right[index] / (answered[index] + examples[index])), float(examples[index]))
            for index in np.flatnonzero(answered + examples)
        }


class UnweightedAverageRecall(_MeanOfClasses):
    """The mean over classes of the share of their examples that are answered right, and that of each class; 0 to 1: the
    field's measure of emotions (Schuller et al. 2009), of which some are rarer than others."""

    usual_name = "unweighted_average_recall"
    constant_like = "UnweightedAverageRecall"

    @classmethod
    def by_class(cls, counts: Array) -> dict[int, tuple[float, float]]:
        right, _, examples = counts
        return {int(i): (float(right[i] / examples[i]), float(examples[i])) for i in np.flatnonzero(examples)}


def answer_counts(labels: Array, answers: Array, classes: int) -> Array:
    """Right answers, answers and examples of each class, int64 `[3, classes + 1]`; the last class is all unknown ones.

    Args:
      labels: class indices `[examples]`, -1 for one that is not known.
      answers: class indices `[examples]`.
    """
    size = classes + 1
    labels = np.where((labels >= 0) & (labels < classes), labels, classes)
    columns = labels[labels == answers], answers, labels
    return np.stack([np.bincount(column, minlength=size) for column in columns])


class AreaUnderCurve(CountsMetric):
    """The area under the ROC curve: how often an example of a class has a higher score of it than one of no such class.

    Of two classes that of the second, of more the mean over classes, each against all others; classes of which all or
    no examples are, are left out. Scores are counted in BINS by their log-odds, so that two within 1/16 of it are taken
    for equal.
    """

    usual_name = "auc"
    constant_value = 0.5
    BINS = 512
    FARTHEST = 16.0
    """Log-odds of the first and the last bin."""

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return score_counts(np.ravel(label)[:1], np.ravel(prediction)[None])

    @classmethod
    def value(cls, counts: Array) -> float:
        return area(counts)


def score_counts(labels: Array, probabilities: Array) -> Array:
    """Examples by class, by whether they are it, and by bin of the score: int64 `[classes, 2, BINS]`; of two classes
    only the second.

    Args:
      labels: class indices `[examples]`.
      probabilities: `[examples, classes]`.
    """
    bins, farthest = AreaUnderCurve.BINS, AreaUnderCurve.FARTHEST
    count = probabilities.shape[1]
    classes = np.array([1]) if count == 2 else np.arange(count)
    p = np.clip(probabilities[:, classes].astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    place = np.clip((np.log(p / (1 - p)) + farthest) / (2 * farthest) * bins, 0, bins - 1).astype(np.int64)
    found = np.zeros((len(classes), 2, bins), np.int64)
    its = (labels[:, None] == classes).astype(np.int64)
    np.add.at(found, (np.broadcast_to(np.arange(len(classes)), its.shape), its, place), 1)
    return found


def area(counts: Array) -> float:
    """The mean area of what `score_counts` counted; NaN where no class can be told from others."""
    areas = [area_under_curve(of_class) for of_class in counts if of_class.any(axis=1).all()]
    return float(np.mean(areas)) if areas else math.nan


class ShareAboveZero(CountsMetric):
    """The share of examples of which an output, a number, is above 0."""

    usual_name = "share_above_zero"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return np.array([float(np.ravel(prediction)[0] > 0), 1.0])

    @classmethod
    def value(cls, counts: Array) -> float:
        above, examples = counts.tolist()
        return above / examples if examples else math.nan
