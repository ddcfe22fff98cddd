"""How well lists of recommended items fit what users then took up.

Each example is one item that a user took up, with that user's list. Recall and NDCG are of each user's items together,
then averaged over users, so that those with many do not outweigh the others. An item that a user took up several times
counts once, and one that the user took up in training already is not asked for; where nothing is left to ask for, there
is no value, NaN. What is kept is the ranks of each user's items, and never a list. Imports TFMA; import it where it is
used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from trainer.features.interactions import MISSED, NOT_ASKED, TOP

Array = np.ndarray[Any, Any]
Tally = dict[Hashable, dict[Hashable, int]]
"""User -> item taken up -> its rank in the user's list, from 1 to TOP, MISSED or NOT_ASKED."""

_DISCOUNTS = 1 / np.log2(1 + np.arange(1, TOP + 1))
_IDEAL = np.cumsum(_DISCOUNTS)
"""The gain of a list that begins with 1, 2 ... TOP items that the user took up."""


def tally(users: Iterable[Hashable], items: Iterable[Hashable], ranks: Iterable[int]) -> Tally:
    """Of items taken up: their users, and their ranks in these users' lists from 1. Those after TOP are missed."""
    found: Tally = {}
    for user, item, rank in zip(users, items, ranks, strict=True):
        found.setdefault(user, {})[item] = rank if rank <= TOP else MISSED
    return found


def recall(found: Tally) -> float:
    """Share of a user's items that are among the first TOP, averaged over users."""
    return _mean_over_users(found, lambda items, hits, gain: hits / items)


def ndcg(found: Tally) -> float:
    """Normalised discounted cumulative gain of the first TOP (Järvelin & Kekäläinen 2002), averaged over users.

    Every item that a user took up is worth the same."""
    return _mean_over_users(found, lambda items, hits, gain: gain / _IDEAL[np.minimum(items, TOP).astype(int) - 1])


def left_out(found: Tally) -> float:
    """Share of what was taken up that no list is asked for."""
    pairs = sum(len(ranks) for ranks in found.values())
    return 1 - sum(len(_asked(ranks)) for ranks in found.values()) / pairs if pairs else math.nan


def scores(users: Iterable[Hashable], items: Iterable[Hashable], ranks: Iterable[int]) -> dict[str, float]:
    """Both of items in memory, arguments as of `tally`."""
    found = tally(users, items, ranks)
    return {"recall_at_10": recall(found), "ndcg_at_10": ndcg(found)}


def _mean_over_users(found: Tally, measure: Callable[..., Array]) -> float:
    numbers = [_items_hits_gain(ranks) for user in found if (ranks := _asked(found[user]))]
    return float(np.mean(measure(*np.stack(numbers, axis=-1)))) if numbers else math.nan


def _asked(ranks: Mapping[Hashable, int]) -> list[int]:
    return [rank for rank in ranks.values() if rank != NOT_ASKED]


def _items_hits_gain(ranks: list[int]) -> Array:
    """float64 `[3]`: how many items were taken up, how many of them the list holds, and their discounted gain."""
    hits = [rank for rank in ranks if rank != MISSED]
    return np.array([len(ranks), len(hits), sum(_DISCOUNTS[rank - 1] for rank in hits)])


class _ListMetric(metric_types.Metric):
    """A measure of lists: prediction `items`, texts `[TOP]`, best first, and `asked`, false where the user has taken up
    the item in training, beside the raw columns `user` and `item`."""

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


class LeftOut(_ListMetric):
    """Share of the pairs of a user and an item, each counted once, that no list is asked for, since the user has taken
    up the item in training already."""

    def __init__(self, name: str = "left_out") -> None:
        super().__init__(left_out, name)


class _Tallies(beam.CombineFn):
    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> Tally:
        return {}

    def add_input(self, accumulator: Tally, element: Any) -> Tally:
        prediction = element.get_predictions(self._key.model_name, self._key.output_name)
        listed = prediction["items"].tolist()
        user, item = (np.ravel(element.features[name]).item() for name in ("user", "item"))
        rank = listed.index(item) + 1 if item in listed else MISSED
        return _added(accumulator, tally([user], [item], [rank if np.ravel(prediction["asked"])[0] else NOT_ASKED]))

    def merge_accumulators(self, accumulators: Iterable[Tally]) -> Tally:
        return functools.reduce(_added, accumulators, {})

    def extract_output(self, accumulator: Tally) -> dict[Any, Tally]:
        return {self._key: accumulator}


def _added(found: Tally, more: Tally) -> Tally:
    """Adds `more` to `found`, in place, as Beam allows for its first accumulator."""
    for user, ranks in more.items():
        found.setdefault(user, {}).update(ranks)
    return found
