"""Base of metrics that follow from counts which add up over a set: few numbers are kept, however many examples.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

Array = np.ndarray[Any, Any]


class CountsMetric(metric_types.Metric):
    """A subclass says what is counted in one example and what follows from the sum; NaN where there are no examples.

    Attributes:
      usual_name: of the metric, unless it is given one.
      output: which output of the model is judged, where `Evaluation.prediction` names several.
    """

    usual_name: ClassVar[str]
    output: ClassVar[str | None] = None

    def __init__(self, name: str = "") -> None:
        counted = type(self)

        def computations(name: str, eval_config: Any = None, model_name: str = "", output_name: str = "") -> list[Any]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, _Sum(key, counted, eval_config))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name or self.usual_name)

    @classmethod
    @abstractmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        """Of one example, whose label and prediction have no batch axis: numbers `[n, ...]`, always of one shape."""

    @classmethod
    @abstractmethod
    def value(cls, counts: Array) -> float:
        """The metric of the counts of all examples, added up."""


class _Sum(beam.CombineFn):
    def __init__(self, key: Any, metric: type[CountsMetric], eval_config: Any) -> None:
        self._key, self._metric, self._eval_config = key, metric, eval_config

    def create_accumulator(self) -> Array:
        return np.zeros((), np.int64)

    def add_input(self, accumulator: Array, element: Any) -> Array:
        return accumulator + self._metric.counts(*self._judged(element))

    def _judged(self, element: Any) -> tuple[Array, Array]:
        model, output = self._key.model_name, self._key.output_name
        if self._metric.output:  # TFMA's own way takes no prediction that stands beside others
            predictions = element.get_predictions(model, output)
            return np.asarray(element.get_labels(model, output)), np.asarray(predictions[self._metric.output])
        [(label, prediction, _)] = metric_util.to_label_prediction_example_weight(
            element, self._eval_config, model, output, flatten=False, squeeze=False
        )
        return label, prediction

    def merge_accumulators(self, accumulators: Iterable[Array]) -> Array:
        return functools.reduce(np.add, accumulators)

    def extract_output(self, accumulator: Array) -> dict[Any, float]:
        return {self._key: self._metric.value(accumulator) if accumulator.ndim else math.nan}


def text_of(value: Array) -> str:
    """A label or prediction that is one string."""
    [text] = np.ravel(value).tolist()
    return text.decode() if isinstance(text, bytes) else str(text)
