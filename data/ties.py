"""What belongs together over any number of steps."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


class Ties:
    """Which tokens belong together (union-find, by path halving)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def root(self, token: Hashable) -> Hashable:
        """Equal for all tokens that are tied, itself for one that is not."""
        above = self._above
        above.setdefault(token, token)
        while above[token] != token:
            above[token] = above[above[token]]
            token = above[token]
        return token

    def tie(self, tokens: Sequence[Hashable]) -> Hashable:
        """The smallest root of all by `repr`, so that it does not depend on the order of ties."""
        roots = sorted((self.root(token) for token in tokens), key=repr)
        for root in roots:
            self._above[root] = roots[0]
        return roots[0]
