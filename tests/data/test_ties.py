"""What belongs together."""

from __future__ import annotations

from itertools import permutations

from data.ties import Ties


def test_ties_reach_over_several_steps_and_their_root_does_not_depend_on_their_order() -> None:
    for pairs in permutations(["ab", "cd", "bc", "ef"]):
        ties = Ties()
        for pair in pairs:
            ties.tie(pair)
        assert [ties.root(token) for token in "abcdefg"] == list("aaaaeeg")
