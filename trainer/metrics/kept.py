"""Base of metrics that know their value only when all examples have been seen, so that something of each is kept.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from trainer.metrics.combined import CombinedMetric, Combiner

Array = np.ndarray[Any, Any]


class KeptMetric(CombinedMetric):
    """A subclass says what is kept of one example and what follows from all, in any order. Where counts are enough,
    `trainer.metrics.counts` is the base to take."""

    @classmethod
    def combiner(cls, key: Any, eval_config: Any) -> Combiner:
        return _All(key, cls, eval_config)

    @classmethod
    @abstractmethod
    def kept(cls, label: Array, prediction: Any) -> Any:
        """Of one example; arguments as in `CountsMetric.counts`."""

    @classmethod
    @abstractmethod
    def value(cls, kept: Sequence[Any]) -> float:
        """The metric of all examples; NaN of none."""


class _All(Combiner):
    def create_accumulator(self) -> list[Any]:
        return []

    def add_input(self, accumulator: list[Any], element: Any) -> list[Any]:
        accumulator.append(self._metric.kept(*self.compared(element)))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        return [one for accumulator in accumulators for one in accumulator]

    def extract_output(self, accumulator: list[Any]) -> dict[Any, float]:
        return {self._key: self._metric.value(accumulator)}
