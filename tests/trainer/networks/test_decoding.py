"""Beam search beside trying all sequences."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.decoding import beam_search

START, END, TOKENS, STEPS = 4, 0, 4, 4


@pytest.fixture
def probabilities() -> np.ndarray:
    """Of a token after two others, for each of three examples."""
    generator = np.random.default_rng(3)
    return generator.dirichlet(np.full(TOKENS, 0.6), size=(3, 5, 5))


def stepper(probabilities: np.ndarray) -> tuple[Any, Any]:
    """A model whose state is the example and the token before the last one."""
    table = tf.constant(np.log(probabilities), tf.float32)

    def step(tokens: Any, state: Any) -> tuple[Any, Any]:
        example, before = state
        return tf.gather_nd(table, tf.stack([example, before, tokens], 1)), (example, tokens)

    return step, (tf.range(len(probabilities), dtype=tf.int64), tf.fill([len(probabilities)], tf.constant(4, tf.int64)))


def best_by_brute_force(probabilities: np.ndarray, length_penalty: float) -> tuple[list[int], float]:
    """All sequences that end, or are as long as allowed."""
    found = []
    for length in range(1, STEPS + 1):
        for tokens in itertools.product(range(TOKENS), repeat=length):
            if END in tokens[:-1] or (tokens[-1] != END and length < STEPS):
                continue
            path = (4, START, *tokens)
            log_p = sum(np.log(probabilities[path[i], path[i + 1], path[i + 2]]) for i in range(length))
            words = [token for token in tokens if token != END]
            found.append((log_p / ((6 + len(words)) / 6) ** length_penalty, log_p, words))
    _, log_p, words = max(found)
    return words, log_p


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_beam_as_wide_as_all_sequences_finds_the_best_one(probabilities: np.ndarray, length_penalty: float) -> None:
    step, state = stepper(probabilities)
    tokens, log_p = tf.function(beam_search, autograph=False)(
        step, state, START, END, TOKENS**STEPS, max_steps=STEPS, length_penalty=length_penalty
    )
    for i, table in enumerate(probabilities):
        words, expected = best_by_brute_force(table, length_penalty)
        assert [token for token in tokens[i].numpy() if token != END] == words
        assert log_p[i].numpy() == pytest.approx(expected, rel=1e-4)


def test_a_wider_beam_sees_past_a_tempting_first_token() -> None:
    table = np.full((1, 5, 5, TOKENS), 1e-6)
    table[:, :, START, 1], table[:, :, START, 2] = 0.6, 0.4
    table[:, :, 1] = 1 / TOKENS  # nothing much follows 1,
    table[:, :, 2, END] = 1.0  # 2 is sure to be the end
    step, state = stepper(table)
    narrow, _ = beam_search(step, state, START, END, 1, max_steps=3)
    wide, log_p = beam_search(step, state, START, END, 2, max_steps=3)
    assert narrow[0, 0].numpy() == 1
    assert wide[0].numpy().tolist()[:2] == [2, END]
    assert np.exp(log_p[0]) == pytest.approx(0.4, rel=1e-4)


def test_what_ends_early_waits_for_the_others_and_each_example_is_on_its_own(probabilities: np.ndarray) -> None:
    step, state = stepper(probabilities)
    together, _ = beam_search(step, state, START, END, 3, max_steps=STEPS)
    for i in range(len(probabilities)):
        one = tf.nest.map_structure(lambda x, i=i: x[i : i + 1], state)
        alone, _ = beam_search(step, one, START, END, 3, max_steps=STEPS)
        padded = np.full(together.shape[1], END)
        padded[: alone.shape[1]] = alone[0]
        assert together[i].numpy().tolist() == padded.tolist()
