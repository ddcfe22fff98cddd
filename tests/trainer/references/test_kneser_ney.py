"""Kneser-Ney smoothing beside the formulas on a small text."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.references.kneser_ney import KneserNey, framed, windows_of

SIZE = 6
TEXT = np.random.default_rng(0).choice(SIZE - 1, 400, p=[0.4, 0.3, 0.15, 0.1, 0.05])  # the last one never occurs


def windows(text: np.ndarray, order: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(text, order)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_probabilities_of_all_numbers_behind_a_history_add_up_to_one(order: int) -> None:
    model = KneserNey(order, windows(TEXT, order), SIZE)
    for history in ([0] * (order - 1), [SIZE - 1] * (order - 1), [2, 4, 1][: order - 1]):
        asked = np.array([[*history, number] for number in range(SIZE)])
        found = model.probabilities(asked)
        assert found.sum() == pytest.approx(1)
        assert (found > 0).all()
        assert model.following(asked[:2, :-1]).tolist() == [found.tolist()] * 2


def test_bigrams_are_as_chen_and_goodman_say() -> None:
    pairs = windows(TEXT, 2)
    model = KneserNey(2, pairs, SIZE)
    counts = np.zeros((SIZE, SIZE))
    np.add.at(counts, (pairs[:, 0], pairs[:, 1]), 1)

    def discounted(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = [np.sum(table == i) for i in range(5)]
        y = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else None
        d = [0, 0.5, 0.5, 0.5] if y is None else [0, *(i - (i + 1) * y * n[i + 1] / n[i] for i in (1, 2, 3) if n[i])]
        d = [min(max(value, 0.05), i) if i else 0 for i, value in enumerate(d)] + [1.0] * (4 - len(d))
        taken = np.array(d)[np.minimum(table, 3).astype(int)]
        return table - taken, taken.sum(-1)

    continued = (counts > 0).sum(0).astype(float)  # how many different numbers stand before each
    kept, left = discounted(continued)
    unigrams = (kept + left / SIZE) / continued.sum()
    kept, left = discounted(counts)
    for a in range(SIZE - 1):
        expected = (kept[a] + left[a] * unigrams) / counts[a].sum()
        found = model.probabilities(np.array([[a, b] for b in range(SIZE)]))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_longer_histories_foresee_what_follows_from_them_only() -> None:
    text = np.tile([0, 1, 2, 3, 1, 4], 100)
    costs = {}
    for order in (2, 3):
        model = KneserNey(order, windows(text[:480], order), SIZE)
        costs[order] = -np.log2(model.probabilities(windows(text[480:], order))).mean()
    assert costs[3] < 0.1 < costs[2]


def test_windows_end_at_each_number_that_is_no_padding() -> None:
    assert windows_of(np.array([[0, 3, 4, 5], [3, 4, 0, 0]]), 3, pad=0).tolist() == [[0, 3, 4], [3, 4, 5]]


def test_whole_sequences_are_windowed_from_their_start_to_their_end() -> None:
    found = framed(np.array([[5, 6, 0], [5, 6, 7]]), order=3, pad=0, start=1, end=2)
    assert found.tolist() == [[0, 1, 5, 6, 2, 0], [0, 1, 5, 6, 7, 2]]
    assert windows_of(found[:1], 3, pad=0).tolist() == [[0, 1, 5], [1, 5, 6], [5, 6, 2]]
