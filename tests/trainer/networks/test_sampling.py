"""Sampling beside the distributions that it must draw from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import sampling
from trainer.networks.sampling import BLOCK, Choice, draw, generate, generate_until, uniforms

PROBABILITIES = np.array([0.1, 0.4, 0.05, 0.25, 0.2], np.float32)
MANY = 4_000


def choice(rows: int, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Choice:
    return Choice(tf.fill([rows], temperature), tf.fill([rows], tf.constant(top_k, tf.int64)), tf.fill([rows], top_p))


def shares(probabilities: np.ndarray = PROBABILITIES, **chosen: Any) -> np.ndarray:
    """How often each token is drawn by evenly spread numbers."""
    logits = tf.tile(tf.math.log(probabilities)[None] + 3.0, [MANY, 1])
    even = (tf.range(MANY, dtype=tf.float32) + 0.5) / MANY
    tokens = draw(logits, even, choice(MANY, **chosen)).numpy()
    return np.bincount(tokens, minlength=len(probabilities)) / MANY


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_as_frequent_as_the_temperature_makes_them(temperature: float) -> None:
    expected = PROBABILITIES ** (1 / temperature)
    np.testing.assert_allclose(shares(temperature=temperature), expected / expected.sum(), atol=2 / MANY)


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 99}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.3}, [1]),
        ({"top_p": 0.5}, [1, 3]),
        ({"top_p": 0.0}, [1]),
        ({"top_k": 3, "top_p": 0.5}, [1, 3]),
        ({"temperature": 0.0}, [1]),
        ({"temperature": 1e-30}, [1]),
    ],
)
def test_what_is_cut_off_is_never_drawn_and_the_rest_keeps_its_ratios(chosen: Any, kept: list[int]) -> None:
    expected = np.where(np.isin(np.arange(5), kept), PROBABILITIES, 0.0)
    np.testing.assert_allclose(shares(**chosen), expected / expected.sum(), atol=2 / MANY)


def test_a_forbidden_token_is_not_drawn_at_any_temperature_or_number() -> None:
    logits = tf.constant([[0.0, -np.inf, 1.0, -np.inf]])
    for number in (0.0, 0.5, 1.0 - 2**-24):
        for temperature in (0.0, 1.0, 1e6):
            assert draw(logits, tf.constant([number]), choice(1, temperature)).numpy()[0] in (0, 2)


def test_greedy_takes_the_first_of_equal_tokens() -> None:
    assert draw(tf.constant([[0.0, 2.0, 2.0]]), tf.constant([0.9]), choice(1, 0.0)).numpy().tolist() == [1]


def test_numbers_follow_from_seed_and_step_alone() -> None:
    seeds = tf.constant([3, -5, 2**62, 3], tf.int64)
    whole = uniforms(seeds, 0, 3 * BLOCK).numpy()
    assert whole.shape == (4, 3 * BLOCK)
    assert (whole[0] == whole[3]).all()
    assert len(np.unique(whole[:3])) > 0.99 * whole[:3].size
    np.testing.assert_array_equal(uniforms(seeds[1:2], 10, BLOCK).numpy(), whole[1:2, 10 : 10 + BLOCK])
    np.testing.assert_array_equal(uniforms(seeds, BLOCK - 1, 2).numpy(), whole[:, BLOCK - 1 : BLOCK + 1])
    assert uniforms(seeds, 7, 0).shape == (4, 0)
    assert abs(whole.mean() - 0.5) < 0.03


TABLE = np.random.default_rng(4).normal(size=(6, 6)).astype(np.float32) * 2


def step(tokens: Any, counted: Any) -> tuple[Any, Any]:
    """The next token goes by the last one; the state counts the steps."""
    return tf.gather(TABLE, tokens), counted + 1


def test_chunks_that_go_on_from_a_state_draw_what_one_call_draws_and_a_batch_what_its_rows_draw() -> None:
    tokens, seeds, zeros = tf.constant([0, 1, 2], tf.int64), tf.constant([7, 8, 9], tf.int64), tf.zeros([3], tf.int32)
    traced = tf.function(generate, autograph=False)
    whole, counted = traced(step, tokens, zeros, choice(3), uniforms(seeds, 0, 100))
    assert counted.numpy().tolist() == [100] * 3
    first, state = traced(step, tokens, zeros, choice(3), uniforms(seeds, 0, 37))
    second, _ = traced(step, first[:, -1], state, choice(3), uniforms(seeds, 37, 63))
    np.testing.assert_array_equal(np.concatenate([first, second], 1), whole)
    for i in range(3):
        alone, _ = traced(step, tokens[i : i + 1], zeros[:1], choice(1), uniforms(seeds[i : i + 1], 0, 100))
        np.testing.assert_array_equal(alone[0], whole[i])


def test_what_has_ended_stays_so_and_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def counting(tokens: Any, counted: Any) -> tuple[Any, Any]:
        """A row ends, with token 0, when its count has come down; until then 5."""
        asked.append(len(tokens))
        return tf.where(counted[:, None] > 1, [[0.0] * 5 + [9.0]], [[9.0] + [0.0] * 5]), counted - 1

    begin = tf.zeros([3], tf.int64)  # the end of one sequence may begin the next
    tokens = generate_until(0, counting, begin, tf.constant([2, 4, 1]), choice(3, 0.0), uniforms(begin, 0, 8))
    assert tokens.numpy().tolist() == [[5, 0] + [0] * 6, [5, 5, 5, 0] + [0] * 4, [0] * 8]
    assert asked == [3, 2, 1, 1]


def test_rows_that_end_leave_the_others_what_they_would_draw_alone() -> None:
    tokens, seeds, zeros = tf.range(6, dtype=tf.int64), tf.range(6, dtype=tf.int64), tf.zeros([6], tf.int32)
    traced = tf.function(generate_until, autograph=False)
    drawn = traced(3, step, tokens, zeros, choice(6), uniforms(seeds, 0, 20)).numpy()
    endless, _ = generate(step, tokens, zeros, choice(6), uniforms(seeds, 0, 20))
    for row, of_generate in zip(drawn, endless.numpy(), strict=True):
        ended = int(np.argmax(of_generate == 3)) if 3 in of_generate else 20
        np.testing.assert_array_equal(row, np.where(np.arange(20) < ended, of_generate, 3))


@pytest.mark.parametrize("chosen", [{}, {"top_p": 0.9}, {"top_k": 4}, {"top_k": 40, "temperature": 2.0}])
def test_a_head_that_is_too_small_changes_nothing(monkeypatch: pytest.MonkeyPatch, chosen: Any) -> None:
    rng = np.random.default_rng(5)
    logits = tf.constant(rng.normal(size=(64, 50)) * rng.uniform(0, 5, (64, 1)), tf.float32)
    even = tf.constant(rng.uniform(size=64), tf.float32)
    whole = draw(logits, even, choice(64, **chosen)).numpy()
    monkeypatch.setattr(sampling, "HEAD", 6)
    np.testing.assert_array_equal(draw(logits, even, choice(64, **chosen)), whole)
