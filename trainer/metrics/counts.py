"""Base of metrics that follow from counts which add up over a set: few numbers are kept, however many examples.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.combined import CombinedMetric, Combiner

Array = np.ndarray[Any, Any]


class CountsMetric(CombinedMetric):
    """A subclass says what is counted in one example and what follows from the sum; NaN where there are no examples."""

    @classmethod
    def combiner(cls, key: Any, eval_config: Any) -> Combiner:
        return _Sum(key, cls, eval_config)

    @classmethod
    @abstractmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        """Of one example, whose label and prediction have no batch axis: numbers `[n, ...]`, always of one shape.

        `prediction` is an array, or a dict of them where the metric compares several tensors.
        """

    @classmethod
    @abstractmethod
    def value(cls, counts: Array) -> float:
        """The metric of the counts of all examples, added up."""

    @classmethod
    def of_classes(cls, counts: Array) -> Mapping[int, tuple[float, float]]:
        """Index of a class -> its value and of how many things it is, where the metric tells classes apart.

        They stand beside the value under TFMA's sub-key of that class, how many there are as `example_count`.
        """
        return {}


class _Sum(Combiner):
    def create_accumulator(self) -> Array:
        return np.zeros((), np.int64)

    def add_input(self, accumulator: Array, element: Any) -> Array:
        return accumulator + self._metric.counts(*self.compared(element))

    def merge_accumulators(self, accumulators: Iterable[Array]) -> Array:
        return functools.reduce(np.add, accumulators)

    def extract_output(self, accumulator: Array) -> dict[Any, float]:
        if not accumulator.ndim:
            return {self._key: math.nan}
        found = {self._key: self._metric.value(accumulator)}
        for index, (value, count) in self._metric.of_classes(accumulator).items():
            part = self._key._replace(sub_key=metric_types.SubKey(class_id=index))
            found |= {part: value, part._replace(name="example_count"): count}
        return found


def text_of(value: Array) -> str:
    """A label or prediction that is one string."""
    [text] = np.ravel(value).tolist()
    return text.decode() if isinstance(text, bytes) else str(text)
