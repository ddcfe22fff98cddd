"""What the model learns of people who like one half of the items, and what it says of whom it does not know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import load_tensorflow, tf
from trainer.features.interactions import TOP, Interactions

load_tensorflow()
from trainer.networks.two_tower import TwoTower  # noqa: E402

USERS, ITEMS, RATED = 40, 60, 15


@pytest.fixture(scope="module")
def known() -> Interactions:
    """Even users rate even items, odd users odd ones. Items under 30 are rated twice as often and get a 4, the
    others a 2."""
    rng = np.random.default_rng(0)
    weight = np.where(np.arange(ITEMS // 2) < 15, 2.0, 1.0)
    rows = [rng.choice(ITEMS // 2, RATED, replace=False, p=weight / weight.sum()) * 2 + u % 2 for u in range(USERS)]
    users, items = np.repeat(np.arange(USERS), RATED), np.concatenate(rows)
    return Interactions(users, items, np.where(items < 30, 4, 2).astype(np.float32), USERS, ITEMS)


def untrained(known: Interactions) -> TwoTower:
    tf.keras.utils.set_random_seed(0)
    model = TwoTower(known, size=8, head_size=4, dropout=0.1, negatives=20, decay=1.0)
    model.compile(tf.keras.optimizers.Adam(0.02))
    return model


@pytest.fixture(scope="module")
def model(known: Interactions) -> TwoTower:
    model = untrained(known)
    targets = {"item": known.items, "rating": known.ratings}
    model.fit({"user": known.users}, targets, batch_size=100, epochs=40, verbose=0)
    return model


def answer(model: TwoTower, *users: int) -> dict[str, Any]:
    found = model({"user": tf.constant(users, tf.int64)}, training=False)
    return {name: value.numpy() for name, value in found.items()}


def test_lists_hold_what_like_minded_users_rated_and_the_user_did_not(model: TwoTower, known: Interactions) -> None:
    for user, items in enumerate(answer(model, *range(USERS))["items"]):
        assert len(set(items)) == TOP
        assert not set(items) & set(known.items[known.users == user])
        assert np.mean(items % 2 == user % 2) >= 0.9


def test_unknown_users_get_what_is_popular(model: TwoTower, known: Interactions) -> None:
    [items] = answer(model, USERS)["items"]
    assert known.item_counts[items].mean() > 1.2 * known.item_counts[:ITEMS].mean()
    assert len(set(items)) == TOP and items.max() < ITEMS


def test_an_answer_does_not_depend_on_who_else_asks(model: TwoTower) -> None:
    together, alone = answer(model, 3, USERS, 3, 8), answer(model, 8)
    np.testing.assert_array_equal(together["items"][0], together["items"][2])
    np.testing.assert_array_equal(together["items"][3:], alone["items"])
    np.testing.assert_allclose(together["vectors"][3:], alone["vectors"], rtol=1e-5)


def test_ratings_are_told_within_the_scale_even_of_the_unknown(model: TwoTower, known: Interactions) -> None:
    users, items = np.divmod(np.arange((USERS + 1) * (ITEMS + 1)), ITEMS + 1)
    found = answer(model, *users)
    told = model.ratings(tf.constant(users), tf.constant(items), found["vectors"], found["tastes"]).numpy()
    assert told.shape == users.shape and told.min() >= 2 and told.max() <= 4
    expected = np.where(items < 30, 4, 2)
    assert np.abs(told - expected)[(items < ITEMS) & (users < USERS)].mean() < 0.3
    assert 2.2 < told[items == ITEMS].mean() < 3.8  # an unknown item is neither of the good nor of the bad


def test_lists_end_where_there_are_no_more_items() -> None:
    users, items = np.array([0, 0, 1]), np.array([0, 1, 2])
    few = untrained(Interactions(users, items, np.array([1, 2, 3], np.float32), 2, 3))
    lists = answer(few, 0, 2)["items"]
    assert lists[0].tolist() == [2] + [3] * 9
    assert sorted(lists[1][:3]) == [0, 1, 2] and set(lists[1][3:]) == {3}


def test_what_is_asked_for_is_not_read_from_the_history(known: Interactions) -> None:
    model = untrained(known)
    items, _, there = model._draw_history(tf.constant([0, USERS], tf.int64), tf.constant([known.items[0], 0], tf.int64))
    assert not (there.numpy() * (items.numpy() == known.items[0]))[0].any()
    assert there.numpy()[0].any() and not there.numpy()[1].any()


def test_weights_carry_everything_to_a_model_made_anew(model: TwoTower, known: Interactions) -> None:
    copy = untrained(known)
    copy.set_weights(model.get_weights())
    for name, value in answer(model, 0, 1, USERS).items():
        np.testing.assert_array_equal(answer(copy, 0, 1, USERS)[name], value)
