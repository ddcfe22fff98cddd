"""Modified Kneser-Ney smoothing (Chen & Goodman 1999): n-grams of all orders, interpolated."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class KneserNey:
    """An n-gram model of sequences of numbers.

    The longest n-grams are counted as they are, shorter ones by how many different numbers stand before them. Of each
    order a discount for what was seen once, twice and more often, estimated from how much was seen so often, goes to
    the next shorter order; the shortest is interpolated with equal probabilities.

    Attributes:
      tables: of each order from the shortest on.
      size: of the vocabulary.
    """

    def __init__(self, order: int, windows: Array, size: int) -> None:
        """
        Args:
          windows: int `[n, order]`: each number to be learnt, last, behind those before it; at least one.
          size: of the vocabulary; numbers are 0 to `size - 1`.
        """
        self.size = size
        histories: list[Array] = [np.zeros(len(windows), np.int64)]
        known = [np.zeros(1, np.int64)]
        for length in range(1, order):
            keys, history = np.unique(histories[-1] * size + windows[:, -1 - length], return_inverse=True)
            known.append(keys)
            histories.append(history)
        self.tables: list[Table] = []
        for length in range(order):
            keys = histories[length] * size + windows[:, -1]
            if length < order - 1:  # each once for each number before it
                longer = histories[length + 1] * size + windows[:, -1]
                keys = keys[np.unique(longer, return_index=True)[1]]
            self.tables.append(_table(known[length], *np.unique(keys, return_counts=True), size))

    def probabilities(self, windows: Array) -> Array:
        """float64 `[n]` of the last number of each window by those before it."""
        history, found = np.zeros(len(windows), np.int64), np.full(len(windows), 1.0 / self.size)
        for length, table in enumerate(self.tables):
            if length:
                history = _find(table.histories, history * self.size + windows[:, -1 - length])
            at = _find(table.keys, history * self.size + windows[:, -1])
            counts = np.where(at >= 0, table.counts[at], 0)
            kept = counts - table.discounts[np.minimum(counts, 3)]
            found = np.where(history >= 0, (kept + table.left[history] * found) / table.totals[history], found)
        return found

    def following(self, before: Array) -> Array:
        """float64 `[n, size]`: the probability of each number behind some, int `[n, order - 1]`."""
        each = np.tile(np.arange(self.size), len(before))
        windows = np.concatenate([np.repeat(before, self.size, 0), each[:, None]], 1)
        return self.probabilities(windows).reshape(-1, self.size)


def windows_of(sequences: Array, order: int, pad: int) -> Array:
    """Each number of sequences `[n, steps]` from place `order - 1` on that is no `pad`, behind those before it:
    `[windows, order]`."""
    every = np.lib.stride_tricks.sliding_window_view(sequences, order, axis=1)
    return every[every[..., -1] != pad]


def framed(sequences: Array, order: int, pad: int, start: int, end: int) -> Array:
    """Whole sequences `[n, steps]`, filled up with `pad`, as `windows_of` takes them: behind `order - 1` numbers, of
    which the last is `start`, and with `end` behind each: `[n, order + steps]`."""
    found = np.pad(sequences, [(0, 0), (order - 1, 1)], constant_values=pad)
    found[:, order - 2] = start
    found[np.arange(len(sequences)), order - 1 + (sequences != pad).sum(1)] = end
    return found


class Table(NamedTuple):
    """The n-grams of one order, by history: all numbers but the last.

    A history's index is its place in `histories`; an n-gram's key is its history's index times the size of the
    vocabulary, plus its last number. All arrays are ordered by keys.
    """

    histories: Array
    """int64 `[histories]`: the index of the history without its first number, times the size, plus that number."""
    keys: Array
    """int64 `[n-grams]`."""
    counts: Array
    """int64 `[n-grams]`."""
    totals: Array
    """int64 `[histories]`: the sum of the counts behind each."""
    left: Array
    """float64 `[histories]`: the sum of the discounts, which goes to the shorter order."""
    discounts: Array
    """float64 `[4]`: of a count of 0, 1, 2, and more."""


def _find(ordered: Array, wanted: Array) -> Array:
    """The place of each wanted key, -1 where it is not there."""
    place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[place] == wanted, place, -1)


def _table(histories: Array, keys: Array, counts: Array, size: int) -> Table:
    begins = np.searchsorted(keys // size, np.arange(len(histories)))
    discounts = _discounts(counts)
    left = np.add.reduceat(discounts[np.minimum(counts, 3)], begins)
    return Table(histories, keys, counts, np.add.reduceat(counts, begins), left, discounts)


def _discounts(counts: Array) -> Array:
    """For counts of 0, 1, 2 and more: float64 `[4]`, none larger than its count."""
    one, two, three, four = (int(np.sum(counts == n)) for n in (1, 2, 3, 4))
    if not one or not two:
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = one / (one + 2 * two)
    wanted = [0.0, 1 - 2 * y * two / one, 2 - 3 * y * three / two, 3 - 4 * y * four / three if three else 1.0]
    return np.array([np.clip(value, 0.0 if n == 0 else 0.05, n) for n, value in enumerate(wanted)])
