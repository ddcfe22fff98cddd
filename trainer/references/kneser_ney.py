"""Modified Kneser-Ney smoothing (Chen & Goodman 1999): n-grams of all orders, interpolated."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class KneserNey:
    """An n-gram model of sequences of numbers.

    The longest n-grams are counted as they are, shorter ones by how many different numbers stand before them. Of each
    order a discount for what was seen once, twice and more often, estimated from how much was seen so often, goes to
    the next shorter order; the shortest is interpolated with equal probabilities.
    """

    def __init__(self, order: int, windows: Array, size: int) -> None:
        """
        Args:
          windows: int `[n, order]`: each number to be learnt, last, behind those before it.
          size: of the vocabulary; numbers are 0 to `size - 1`.
        """
        self._order, self._size = order, size
        self._histories: list[Array] = []
        """For each number of words before: what `_index` knows."""
        self._tables: list[_Order] = []
        history = self._index(windows, learn=True)
        for length in range(order):
            keys = history[length] * size + windows[:, -1]
            if length == order - 1:
                found, counts = np.unique(keys, return_counts=True)
            else:  # different numbers before it
                longer = history[length + 1] * size + windows[:, -1]
                found, counts = np.unique(keys[np.unique(longer, return_index=True)[1]], return_counts=True)
            self._tables.append(_Order(found, counts, size))

    def probabilities(self, windows: Array) -> Array:
        """float64 `[n]` of the last number of each window by those before it."""
        history, found = self._index(windows, learn=False), np.full(len(windows), 1.0 / self._size)
        for length, table in enumerate(self._tables):
            found = table.interpolated(history[length], windows[:, -1], found)
        return found

    def _index(self, windows: Array, learn: bool) -> list[Array]:
        """For each length of a history the index of each window's, -1 for one never seen."""
        indices = [np.zeros(len(windows), np.int64)]
        for length in range(1, self._order):
            number = windows[:, -1 - length]
            keys = indices[-1] * self._size + number
            if learn:
                self._histories.append(np.unique(keys))
            known = self._histories[length - 1]
            place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            indices.append(np.where((known[place] == keys) & (indices[-1] >= 0), place, -1))
        return indices


class _Order:
    """The n-grams of one length: a history and what follows."""

    def __init__(self, keys: Array, counts: Array, size: int) -> None:
        self._keys, self._counts, self._size = keys, counts, size
        self._discounts = _discounts(counts)
        self._histories, begins = np.unique(keys // size, return_index=True)
        self._totals = np.add.reduceat(counts, begins)
        left = self._discounts[np.minimum(counts, 3)]
        self._left = np.add.reduceat(left, begins)

    def interpolated(self, history: Array, number: Array, shorter: Array) -> Array:
        """The probabilities of numbers behind histories, by those that the shorter histories give them."""
        place = np.minimum(np.searchsorted(self._histories, history), len(self._histories) - 1)
        known = self._histories[place] == history
        keys = history * self._size + number
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        counts = np.where((self._keys[at] == keys) & known, self._counts[at], 0)
        own = counts - self._discounts[np.minimum(counts, 3)]
        mixed = (own + self._left[place] * shorter) / self._totals[place]
        return np.where(known, mixed, shorter)


def _discounts(counts: Array) -> Array:
    """For counts of 0, 1, 2 and more: float64 `[4]`, none larger than its count."""
    one, two, three, four = (int(np.sum(counts == n)) for n in (1, 2, 3, 4))
    if not one or not two:
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = one / (one + 2 * two)
    wanted = [0.0, 1 - 2 * y * two / one, 2 - 3 * y * three / two, 3 - 4 * y * four / three if three else 1.0]
    return np.array([np.clip(value, 0.0 if n == 0 else 0.05, n) for n, value in enumerate(wanted)])
