"""How well masks fit, of a whole set: intersection over union, and the share of pixels that are right.

Of each mask only the counts of pixels are kept that a confusion matrix of all pixels has on its diagonal and at its
margins; they add up over a set, so that each figure is that of one matrix and no mean over pictures or batches. Pixels
that are void in the truth are counted nowhere. Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from PIL import Image

from data.media.palettes import VOID
from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

NUMBERS = 256
"""A mask has numbers below it."""
UNKNOWN = 254


class MeanIntersectionOverUnion(CountsMetric):
    """The mean over all classes that the truth or the answers hold (Everingham et al. 2015), 0 to 1, and that of each
    class. A class of the truth that a model does not know counts 0.

    Labels are PNGs of numbers, predictions `mask_bytes`, such PNGs, and `numbers` `[classes]`, those of the classes.
    """

    usual_name = "mean_iou"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return indexed_counts(label, prediction)

    @classmethod
    def value(cls, counts: Array) -> float:
        return mean_iou(counts)

    @classmethod
    def of_classes(cls, counts: Array) -> dict[int, tuple[float, float]]:
        """Beside the value stand the true pixels."""
        return {index: (value, float(counts[1, index])) for index, value in ious(counts).items() if index != UNKNOWN}


class PixelAccuracy(CountsMetric):
    """The share of pixels whose class is right, 0 to 1. Labels and predictions as above."""

    usual_name = "pixel_accuracy"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return indexed_counts(label, prediction)

    @classmethod
    def value(cls, counts: Array) -> float:
        return pixel_accuracy(counts)


def indexed_counts(label: Any, prediction: Any) -> Array:
    """As `counts`, by the indices of the classes in place of their numbers; UNKNOWN is any that the model lacks."""
    index = np.full(NUMBERS, UNKNOWN, np.uint8)
    numbers = np.ravel(prediction["numbers"])
    index[numbers] = np.arange(len(numbers))
    index[VOID] = VOID
    return counts(index[decoded(label)], index[decoded(prediction["mask_bytes"])])


def decoded(content: Any) -> Array:
    """A PNG of numbers, grey or indexed, bytes or an array of these: uint8 `[height, width]`."""
    [encoded] = np.ravel(np.asarray(content, object)).tolist()
    with Image.open(io.BytesIO(encoded)) as picture:
        return np.asarray(picture)


def counts(truth: Array, answer: Array) -> Array:
    """Of each number the pixels that have it rightly, truly and in the answer: int64 `[3, NUMBERS]`.

    Args:
      truth, answer: uint8 of one shape, VOID in the truth where there is none.
    """
    judged = truth != VOID
    true, guessed = truth[judged], answer[judged]
    parts = (true[true == guessed], true, guessed)
    return np.stack([np.bincount(part, minlength=NUMBERS) for part in parts])


def ious(counts: Array) -> dict[int, float]:
    """Number -> intersection over union, of those that the truth or the answers hold."""
    hits, true, guessed = counts
    unions = true + guessed - hits
    return {int(n): float(hits[n] / unions[n]) for n in np.flatnonzero(unions)}


def mean_iou(counts: Array) -> float:
    found = ious(counts)
    return sum(found.values()) / len(found) if found else math.nan


def pixel_accuracy(counts: Array) -> float:
    hits, true, _ = counts.sum(axis=1).tolist()
    return hits / true if true else math.nan
