"""Who rated what: the table that a recommender learns from, and the classical recommenders that it must beat.

Users and items are indices from 0, most frequent first; the one after the last stands for all that are unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TOP = 10
"""Items in a list of recommendations, by which it is judged."""

DAMPING = 5.0
"""Ratings at the mean that each bias is given beforehand: rarely rated items stay near it (Koren 2010)."""

MISSED, NOT_ASKED = 0, -1
"""Ranks of what a list cannot hold: an item that training never saw, which counts as missed, and one that the user has
taken up already, which nobody asks a list for."""

SWEEPS = 20
FACTORS = 10


@dataclass(frozen=True)
class Interactions:
    """`users` and `items` int64 `[ratings]`, `ratings` float32 `[ratings]`; at least one, of known users and items."""

    users: Array
    items: Array
    ratings: Array
    num_users: int
    num_items: int

    @cached_property
    def user_counts(self) -> Array:
        """int64 `[num_users + 1]`."""
        return np.bincount(self.users, minlength=self.num_users + 1)

    @cached_property
    def item_counts(self) -> Array:
        """int64 `[num_items + 1]`."""
        return np.bincount(self.items, minlength=self.num_items + 1)

    @cached_property
    def popularity(self) -> Array:
        """By how many users each item was taken up, int64 `[num_items + 1]`: one who rated it twice counts once."""
        pairs = np.unique(self.users * (self.num_items + 1) + self.items)
        return np.bincount(pairs % (self.num_items + 1), minlength=self.num_items + 1)

    @cached_property
    def mean(self) -> float:
        return float(self.ratings.mean())

    @cached_property
    def biases(self) -> tuple[Array, Array]:
        """By how much each user and each item is rated above the mean, float32 `[num_users + 1]`, `[num_items + 1]`.

        Ridge regression by alternating sweeps; 0 for the unknown.
        """
        centred = self.ratings.astype(np.float64) - self.mean
        of_users, of_items = np.zeros(self.num_users + 1), np.zeros(self.num_items + 1)
        for _ in range(SWEEPS):
            sums = np.bincount(self.items, centred - of_users[self.users], self.num_items + 1)
            of_items = sums / (self.item_counts + DAMPING)
            sums = np.bincount(self.users, centred - of_items[self.items], self.num_users + 1)
            of_users = sums / (self.user_counts + DAMPING)
        return of_users.astype(np.float32), of_items.astype(np.float32)

    @cached_property
    def residuals(self) -> Array:
        """What the biases leave of each rating, float32 `[ratings]`."""
        of_users, of_items = self.biases
        return self.ratings - np.float32(self.mean) - of_users[self.users] - of_items[self.items]

    @cached_property
    def by_user(self) -> tuple[Array, Array]:
        """The ratings in order of users: `order` int64 `[ratings]`, and `starts` int64 `[num_users + 2]` such that
        those of user u are `order[starts[u]:starts[u + 1]]`."""
        return np.argsort(self.users, kind="stable"), np.concatenate([[0], np.cumsum(self.user_counts)])

    def factor_ratings(self, users: Array, items: Array) -> Array:
        """Expected ratings by the biases and a truncated singular value decomposition of what they leave
        (Paterek 2007). An unknown user or item has no bias and no factors."""
        from scipy.sparse import csr_matrix
        from sklearn.utils.extmath import randomized_svd

        shape = (self.num_users + 1, self.num_items + 1)
        left, scale, right = randomized_svd(
            csr_matrix((self.residuals, (self.users, self.items)), shape),
            min(FACTORS, *shape),
            n_iter=10,
            random_state=0,
        )
        of_users, of_items = self.biases
        factors = np.einsum("nk,nk->n", (left * scale)[users], right.T[items])
        expected = self.mean + of_users[users] + of_items[items] + factors
        return expected.clip(self.ratings.min(), self.ratings.max())

    def popularity_ranks(self, users: Array, items: Array) -> Array:
        """Rank from 1, int64, of each item among those that its user has not rated, the most popular first.

        It is MISSED, no place on the list, for unknown items, and NOT_ASKED for those that the user has rated.
        """
        width = self.num_items + 1
        place = np.full(width, self.num_items)
        place[np.argsort(-self.popularity[: self.num_items], kind="stable")] = np.arange(self.num_items)
        seen = np.unique(self.users * width + place[self.items])  # sorted: each user's places one after another
        asked = users * width + place[items]
        before = np.searchsorted(seen, asked) - np.searchsorted(seen, users * width)
        ranks = np.where(items == self.num_items, MISSED, 1 + place[items] - before)
        return np.where(np.isin(asked, seen), NOT_ASKED, ranks)
