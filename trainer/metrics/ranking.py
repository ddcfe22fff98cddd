"""How well lists of recommended items, and expected ratings, fit what users then took up and how they rated it.

Each example is one item that a user took up, with that user's list. Recall and NDCG are of each user's items together,
then averaged over users, so that those with many do not outweigh the others. What is kept is three numbers for each
user, which add up over parts of a set, and never a list. Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from trainer.features.interactions import TOP

Array = np.ndarray[Any, Any]
Tally = dict[Hashable, Array]
"""User -> float64 `[3]`: items taken up, how many of them the list holds, and their discounted gain."""

_DISCOUNTS = 1 / np.log2(1 + np.arange(1, TOP + 1))
_IDEAL = np.cumsum(_DISCOUNTS)
"""The gain of a list that begins with 1, 2 ... TOP items that the user took up."""


def tally(users: Iterable[Hashable], ranks: Iterable[int]) -> Tally:
    """Of items taken up: their users, and their ranks in these users' lists from 1. Those after TOP are missed, as are
    those of rank 0, which the list cannot hold."""
    found: Tally = {}
    for user, rank in zip(users, ranks, strict=True):
        hit = 1 <= rank <= TOP
        found[user] = found.get(user, np.zeros(3)) + (1, hit, _DISCOUNTS[rank - 1] if hit else 0)
    return found


def recall(found: Tally) -> float:
    """Share of a user's items that are among the first TOP, averaged over users."""
    return _mean_over_users(found, lambda items, hits, gain: hits / items)


def ndcg(found: Tally) -> float:
    """Normalised discounted cumulative gain of the first TOP (Järvelin & Kekäläinen 2002), averaged over users.

    Every item that a user took up is worth the same."""
    return _mean_over_users(found, lambda items, hits, gain: gain / _IDEAL[np.minimum(items, TOP).astype(int) - 1])


def scores(users: Iterable[Hashable], ranks: Iterable[int]) -> dict[str, float]:
    """Both of items in memory, arguments as of `tally`."""
    found = tally(users, ranks)
    return {"recall_at_10": recall(found), "ndcg_at_10": ndcg(found)}


def _mean_over_users(found: Tally, measure: Callable[..., Array]) -> float:
    return float(np.mean(measure(*np.stack(list(found.values()), axis=-1)))) if found else math.nan


class _ListMetric(metric_types.Metric):
    """A measure of lists: prediction `items`, texts `[TOP]`, best first, beside the raw columns `user` and `item`."""

    def __init__(self, measure: Callable[[Tally], float], name: str) -> None:
        def computations(name: str, model_name: str = "", output_name: str = "") -> list[Any]:
            # All measures share one tally: TFMA drops computations that are there already.
            found = metric_types.MetricKey("_items_found", model_name=model_name, output_name=output_name)
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            columns = metric_types.FeaturePreprocessor(feature_keys=["user", "item"])
            return [
                metric_types.MetricComputation([found], [columns], _Tallies(found)),
                metric_types.DerivedMetricComputation([key], lambda metrics: {key: measure(metrics[found])}),
            ]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


class RecallOfLists(_ListMetric):
    def __init__(self, name: str = "recall_at_10") -> None:
        super().__init__(recall, name)


class NdcgOfLists(_ListMetric):
    def __init__(self, name: str = "ndcg_at_10") -> None:
        super().__init__(ndcg, name)


class RatingError(metric_types.Metric):
    """Root mean squared error of prediction `rating`; TFMA's own takes no prediction that stands beside others."""

    def __init__(self, name: str = "rmse") -> None:
        def computations(name: str, model_name: str = "", output_name: str = "") -> list[Any]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, _SquaredErrors(key))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


class _Tallies(beam.CombineFn):
    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> Tally:
        return {}

    def add_input(self, accumulator: Tally, element: Any) -> Tally:
        listed = _prediction(element, self._key)["items"].tolist()
        user, item = (np.ravel(element.features[name]).item() for name in ("user", "item"))
        rank = listed.index(item) + 1 if item in listed else TOP + 1
        return _added(accumulator, tally([user], [rank]))

    def merge_accumulators(self, accumulators: Iterable[Tally]) -> Tally:
        return functools.reduce(_added, accumulators, {})

    def extract_output(self, accumulator: Tally) -> dict[Any, Tally]:
        return {self._key: accumulator}


class _SquaredErrors(beam.CombineFn):
    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> tuple[float, int]:
        return 0.0, 0

    def add_input(self, accumulator: tuple[float, int], element: Any) -> tuple[float, int]:
        [rating] = np.ravel(_prediction(element, self._key)["rating"])
        [truth] = np.ravel(element.get_labels(self._key.model_name, self._key.output_name))
        return accumulator[0] + (float(rating) - float(truth)) ** 2, accumulator[1] + 1

    def merge_accumulators(self, accumulators: Iterable[tuple[float, int]]) -> tuple[float, int]:
        totals, counts = zip(*accumulators, strict=True)
        return sum(totals), sum(counts)

    def extract_output(self, accumulator: tuple[float, int]) -> dict[Any, float]:
        total, count = accumulator
        return {self._key: math.sqrt(total / count) if count else math.nan}


def _prediction(element: Any, key: Any) -> Mapping[str, Array]:
    outputs: Mapping[str, Array] = element.get_predictions(key.model_name, key.output_name)
    return outputs


def _added(found: Tally, more: Tally) -> Tally:
    """Adds `more` to `found`, in place, as Beam allows for its first accumulator."""
    for user, numbers in more.items():
        found[user] = found[user] + numbers if user in found else numbers
    return found
