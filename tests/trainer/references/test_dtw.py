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
