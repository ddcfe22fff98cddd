"""The classical recommenders, beside what defines them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.features.interactions import DAMPING, MISSED, NOT_ASKED, Interactions

USERS, ITEMS = 30, 20


@pytest.fixture
def known() -> Interactions:
    """Half of all pairs. Users and items have biases, and one factor: odd users like odd items."""
    rng = np.random.default_rng(0)
    users, items = np.divmod(rng.permutation(USERS * ITEMS)[: USERS * ITEMS // 2], ITEMS)
    return Interactions(users, items, expected(users, items), USERS, ITEMS)


def expected(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    factor = np.where(users % 2 == items % 2, 1.0, -1.0)
    return (3 + np.sin(users) + np.cos(items) + factor).astype(np.float32)


def test_each_bias_is_the_damped_mean_of_what_the_others_leave(known: Interactions) -> None:
    of_users, of_items = known.biases
    for user in range(USERS):
        mine = known.users == user
        rest = known.ratings[mine] - known.mean - of_items[known.items[mine]]
        assert of_users[user] == pytest.approx(rest.sum() / (mine.sum() + DAMPING), abs=1e-4)
    assert of_users[USERS] == of_items[ITEMS] == 0


def test_factors_tell_unrated_pairs_better_than_biases(known: Interactions) -> None:
    users, items = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    of_users, of_items = known.biases
    truth = expected(users, items)
    by_biases = np.abs(known.mean + of_users[users] + of_items[items] - truth).mean()
    assert np.abs(known.factor_ratings(users, items) - truth).mean() < 0.7 * by_biases


def test_the_unknown_are_rated_by_what_is_known_and_within_the_scale(known: Interactions) -> None:
    of_users, of_items = known.biases
    told = known.factor_ratings(np.array([USERS, USERS, 2]), np.array([ITEMS, 3, ITEMS]))
    assert told == pytest.approx([known.mean, known.mean + of_items[3], known.mean + of_users[2]], abs=1e-5)
    everything = known.factor_ratings(*np.divmod(np.arange(USERS * ITEMS), ITEMS))
    assert known.ratings.min() <= everything.min() and everything.max() <= known.ratings.max()


def test_ratings_that_are_all_the_same_are_told() -> None:
    one = Interactions(np.array([0, 1]), np.array([0, 0]), np.full(2, 4, np.float32), 2, 1)
    assert one.factor_ratings(np.array([0, 2]), np.array([0, 1])) == pytest.approx([4, 4])


def test_popular_items_rank_first_and_rated_ones_are_left_out(known: Interactions) -> None:
    order = np.argsort(-known.item_counts[:ITEMS], kind="stable").tolist()
    users, items = np.divmod(np.arange((USERS + 1) * (ITEMS + 1)), ITEMS + 1)  # unknown ones too
    ranks = known.popularity_ranks(users, items)
    for user, item, rank in zip(users, items, ranks, strict=True):
        rated = set(known.items[known.users == user])
        offered = [candidate for candidate in order if candidate not in rated]
        assert rank == (NOT_ASKED if item in rated else offered.index(item) + 1 if item in offered else MISSED)


def test_who_rated_an_item_several_times_makes_it_no_more_popular() -> None:
    users, items = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 0, 1, 1])
    known = Interactions(users, items, np.ones(5, np.float32), 3, 2)
    assert known.popularity.tolist() == [1, 2, 0]
    assert known.popularity_ranks(np.array([3, 3]), np.array([0, 1])).tolist() == [2, 1]
