"""Recall and NDCG of lists and the error of ratings: by hand, beside scikit-learn's, and in parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import ndcg_score
from tensorflow_model_analysis.metrics import metric_types

from trainer.features.interactions import MISSED, NOT_ASKED, TOP
from trainer.metrics.ranking import LeftOut, NdcgOfLists, RecallOfLists, left_out, scores, tally

LIST = [f"item-{place}".encode() for place in range(1, TOP + 1)]


def test_two_users_by_hand() -> None:
    # The first took up two items, of ranks 1 and 3; the second three, of which one is listed, in the last place.
    found = scores("ababb", range(5), [1, 10, 3, 11, 500])
    assert found["recall_at_10"] == pytest.approx((2 / 2 + 1 / 3) / 2)
    first = (1 + 1 / 2) / (1 + 1 / math.log2(3))
    second = (1 / math.log2(11)) / (1 + 1 / math.log2(3) + 1 / 2)
    assert found["ndcg_at_10"] == pytest.approx((first + second) / 2)


def test_the_best_lists_score_one_however_many_items_were_taken_up() -> None:
    few = scores("aaa", range(3), [2, 1, 3])
    assert few == pytest.approx({"recall_at_10": 1.0, "ndcg_at_10": 1.0})
    many = scores(["a"] * 20, range(20), range(1, 21))
    assert many == pytest.approx({"recall_at_10": 0.5, "ndcg_at_10": 1.0})


def test_nothing_found_is_zero() -> None:
    assert scores("ab", "xy", [11, 12]) == {"recall_at_10": 0.0, "ndcg_at_10": 0.0}


def test_ndcg_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    relevant = rng.random((50, 40)) < 0.2
    relevant[:, 0] = True
    places = np.stack([rng.permutation(40) + 1 for _ in relevant])
    users, items = np.nonzero(relevant)
    found = scores(users.tolist(), items.tolist(), places[users, items].tolist())
    assert found["ndcg_at_10"] == pytest.approx(ndcg_score(relevant, -places, k=TOP))


def test_an_item_taken_up_several_times_counts_once() -> None:
    assert scores("aaa", "xxx", [1, 1, 1]) == {"recall_at_10": 1.0, "ndcg_at_10": 1.0}  # thrice, NDCG was 1.41
    assert scores("aaaa", "xxyz", [1, 1, 2, 11]) == scores("aaa", "xyz", [1, 2, 11])


def test_what_was_taken_up_in_training_is_not_asked_for() -> None:
    assert scores("aabb", "xyxz", [1, NOT_ASKED, NOT_ASKED, MISSED])["recall_at_10"] == pytest.approx(0.5)
    assert left_out(tally("aabb", "xyxz", [1, NOT_ASKED, NOT_ASKED, MISSED])) == 0.5


def test_without_anything_to_ask_for_there_is_no_value() -> None:
    assert all(math.isnan(value) for value in scores("ab", "xy", [NOT_ASKED, NOT_ASKED]).values())
    assert all(math.isnan(value) for value in scores([], [], []).values())


def inputs(user: str, item: bytes, rating: float = 3.0, truth: float = 3.0, asked: bool = True) -> Any:
    """As TFMA hands over one example."""
    return metric_types.StandardMetricInputs(
        {
            "labels": np.array([truth], np.float32),
            "predictions": {"items": np.array(LIST, object), "rating": np.array(rating, np.float32), "asked": asked},
            "example_weights": np.array([1.0]),
            "features": {"user": np.array([user.encode()], object), "item": np.array([item], object)},
        }
    )


EXAMPLES = [
    inputs("a", LIST[0], 3.0, 5.0),
    inputs("b", LIST[9], 4.0, 3.0),
    inputs("a", LIST[2]),
    inputs("b", b"unknown"),
    inputs("b", b"item-500"),
    inputs("b", b"item-500"),  # once more
    inputs("b", LIST[3], asked=False),
    inputs("c", LIST[0], asked=False),
]


def in_parts(metric: Any, *sizes: int) -> tuple[Any, Any]:
    """The metric's computations, and what its combiner makes of EXAMPLES in so many parts."""
    computations = metric.computations(model_names=[""], output_names=[""])
    combine, rest = computations[0].combiner, iter(EXAMPLES)
    parts = [combine.add_inputs(combine.create_accumulator(), [next(rest) for _ in range(size)]) for size in sizes]
    merged = combine.merge_accumulators([combine.create_accumulator(), *parts])
    return computations, combine.extract_output(merged)


@pytest.mark.parametrize("sizes", [(8,), (1, 4, 3), (2, 0, 6)])
@pytest.mark.parametrize("metric", [RecallOfLists(), NdcgOfLists()])
def test_lists_of_parts_add_up_in_tfma(metric: Any, sizes: tuple[int, ...]) -> None:
    (_, derived), found = in_parts(metric, *sizes)
    [(key, value)] = derived.result(found).items()
    assert key.name == metric.name
    assert value == pytest.approx(scores("ababb", range(5), [1, 10, 3, 11, 11])[metric.name])


@pytest.mark.parametrize("sizes", [(8,), (1, 4, 3)])
def test_what_was_left_out_is_told_as_a_share_of_the_pairs(sizes: tuple[int, ...]) -> None:
    (_, derived), found = in_parts(LeftOut(), *sizes)
    assert list(derived.result(found).values()) == [pytest.approx(2 / 7)]


def test_what_is_kept_of_lists_is_a_rank_for_each_item_taken_up() -> None:
    [first, *_] = RecallOfLists().computations(model_names=[""], output_names=[""])
    accumulator = first.combiner.add_inputs(first.combiner.create_accumulator(), EXAMPLES * 10)
    assert {user: len(ranks) for user, ranks in accumulator.items()} == {b"a": 2, b"b": 4, b"c": 1}
