"""Base of metrics that know their value only when all examples have been seen, so that something of each is kept.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

Array = np.ndarray[Any, Any]


class KeptMetric(metric_types.Metric):
    """A subclass says what is kept of one example and what follows from all, in any order. Where counts are enough,
    `trainer.metrics.counts` is the base to take.

    Attributes:
      usual_name: of the metric, unless it is given one.
    """

    usual_name: ClassVar[str]

    def __init__(self, name: str = "") -> None:
        kept = type(self)

        def computations(name: str, eval_config: Any = None, model_name: str = "", output_name: str = "") -> list[Any]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, _All(key, kept, eval_config))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name or self.usual_name)

    @classmethod
    @abstractmethod
    def kept(cls, label: Array, prediction: Array) -> Any:
        """Of one example, whose label and prediction have no batch axis."""

    @classmethod
    @abstractmethod
    def value(cls, kept: Sequence[Any]) -> float:
        """The metric of all examples; NaN of none."""


class _All(beam.CombineFn):
    def __init__(self, key: Any, metric: type[KeptMetric], eval_config: Any) -> None:
        self._key, self._metric, self._eval_config = key, metric, eval_config

    def create_accumulator(self) -> list[Any]:
        return []

    def add_input(self, accumulator: list[Any], element: Any) -> list[Any]:
        [(label, prediction, _)] = metric_util.to_label_prediction_example_weight(
            element, self._eval_config, self._key.model_name, self._key.output_name, flatten=False, squeeze=False
        )
        accumulator.append(self._metric.kept(label, prediction))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        return [one for accumulator in accumulators for one in accumulator]

    def extract_output(self, accumulator: list[Any]) -> dict[Any, float]:
        return {self._key: self._metric.value(accumulator)}
