"""Base of metrics that a Beam combiner computes of labels and predictions, example by example.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

Array = np.ndarray[Any, Any]


class CombinedMetric(metric_types.Metric):
    """What is kept of the examples seen so far is said by its combiner: `trainer.metrics.counts` adds numbers up,
    `trainer.metrics.kept` keeps something of each.

    Attributes:
      usual_name: of the metric, unless it is given one.
    """

    usual_name: ClassVar[str]

    def __init__(self, name: str = "") -> None:
        combiner = type(self).combiner

        def computations(name: str, eval_config: Any = None, model_name: str = "", output_name: str = "") -> list[Any]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, combiner(key, eval_config))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name or self.usual_name)

    @classmethod
    @abstractmethod
    def combiner(cls, key: Any, eval_config: Any) -> Combiner:
        """What computes the metric under `key`."""


class Combiner(beam.CombineFn):
    """A subclass says the rest of Beam's CombineFn."""

    def __init__(self, key: Any, metric: Any, eval_config: Any) -> None:
        self._key, self._metric, self._eval_config = key, metric, eval_config

    def compared(self, element: Any) -> tuple[Array, Any]:
        """Label and prediction of one example, without batch axis; of several tensors the prediction is a dict."""
        model, output = self._key.model_name, self._key.output_name
        predictions = element.get_predictions(model, output)
        if isinstance(predictions, Mapping):  # TFMA's own way would choose one of them by its name
            tensors = {name: np.asarray(tensor) for name, tensor in predictions.items()}
            return np.asarray(element.get_labels(model, output)), tensors
        [(label, prediction, _)] = metric_util.to_label_prediction_example_weight(
            element, self._eval_config, model, output, flatten=False, squeeze=False
        )
        return label, prediction
