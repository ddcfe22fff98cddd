"""Dynamic time warping (Sakoe & Chiba 1978): how alike two sequences are, whatever the pace of each."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def nearest(query: Array, templates: Array, lengths: Array) -> int:
    """Which of the templates is nearest to the query.

    Args:
      query: float `[query steps, width]`.
      templates: float `[templates, longest, width]`, padded.
      lengths: int `[templates]`, steps of each.
    """
    return int(np.argmin(distances(query, templates, lengths)))


def distances(query: Array, templates: Array, lengths: Array) -> Array:
    """Sum of Euclidean distances along the best path from both beginnings to both ends, each step forward in one
    or both sequences, divided by the steps of both: float `[templates]`.

    All templates are warped at once; arguments as in `nearest`.
    """
    squares = (
        (templates**2).sum(-1) + (query**2).sum(-1)[:, None, None] - 2 * np.einsum("qw,tlw->qtl", query, templates)
    )
    costs = np.sqrt(squares.clip(min=0)).transpose(0, 2, 1)  # [query, longest, templates]
    previous = np.cumsum(costs[0], axis=0)
    for cost in costs[1:]:
        current = np.empty_like(previous)
        current[0] = previous[0] + cost[0]
        either = np.minimum(previous[1:], previous[:-1])
        for place in range(1, len(cost)):
            current[place] = np.minimum(either[place - 1], current[place - 1]) + cost[place]
        previous = current
    ends = previous[lengths - 1, np.arange(len(lengths))]
    return ends / (len(query) + lengths)


def best_path(one: Array, other: Array) -> tuple[float, int]:
    """Sum of Euclidean distances along the best path, and the pairs of steps that it goes through.

    Paths as in `distances`. Both float `[steps, width]`; memory grows with the product of their steps.
    """
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2 * one.astype(np.float64) @ other.T
    costs = np.sqrt(squares.clip(min=0))
    rows, columns = costs.shape
    # One diagonal after the other, by row: no place on it depends on another of it.
    best = [np.full(rows + 1, np.inf) for _ in range(2)]  # of the last diagonal but one, and of the last; row -1 first
    pairs = [np.zeros(rows + 1, np.int64) for _ in range(2)]
    best[0][0] = 0.0
    for diagonal in range(rows + columns - 1):
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        ways = np.stack([best[0][row], best[1][row], best[1][row + 1]])  # both on, one on, the other on
        chosen = np.argmin(ways, 0)
        before = np.stack([pairs[0][row], pairs[1][row], pairs[1][row + 1]])
        now, count = np.full(rows + 1, np.inf), np.zeros(rows + 1, np.int64)
        now[row + 1] = np.take_along_axis(ways, chosen[None], 0)[0] + costs[row, diagonal - row]
        count[row + 1] = np.take_along_axis(before, chosen[None], 0)[0] + 1
        best, pairs = [best[1], now], [pairs[1], count]
    return float(best[1][rows]), int(pairs[1][rows])
