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
