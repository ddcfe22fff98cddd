"""Warped distances against the textbook recursion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.references import dtw


def by_recursion(a: Any, b: Any) -> float:
    cost = np.linalg.norm(a[:, None] - b[None], axis=-1)
    total = np.full((len(a) + 1, len(b) + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.ndindex(*cost.shape):
        total[i + 1, j + 1] = cost[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return float(total[-1, -1] / (len(a) + len(b)))


def test_distances_are_those_of_the_recursion_whatever_the_padding() -> None:
    rng = np.random.default_rng(0)
    query, lengths = rng.normal(size=(7, 3)), np.array([1, 4, 9])
    templates = rng.normal(size=(3, 9, 3))
    expected = [by_recursion(query, template[:length]) for template, length in zip(templates, lengths, strict=True)]
    assert dtw.distances(query, templates, lengths) == pytest.approx(expected)


def test_the_same_said_slowly_is_nearest() -> None:
    rng = np.random.default_rng(1)
    words = rng.normal(size=(4, 5, 8))
    slowly = np.repeat(words[2], 3, axis=0) + rng.normal(size=(15, 8)) * 0.1
    assert dtw.nearest(slowly, words, np.full(4, 5)) == 2


def test_the_best_path_has_the_same_sum_and_as_many_pairs_as_it_goes_through() -> None:
    rng = np.random.default_rng(11)
    for rows, columns in ((1, 1), (1, 4), (5, 1), (6, 9)):
        one, other = rng.normal(size=(rows, 3)), rng.normal(size=(columns, 3))
        total, pairs = dtw.best_path(one, other)
        assert total / (rows + columns) == pytest.approx(by_recursion(one, other))
        assert max(rows, columns) <= pairs <= rows + columns - 1
    assert dtw.best_path(one, np.repeat(one, 2, axis=0)) == (pytest.approx(0.0, abs=1e-6), 12)
