"""Slots by the values that training marked."""

from __future__ import annotations

from trainer.references import value_dictionary

TEXTS = [[1, 2, 3, 4], [1, 2, 9], [5, 3], [5, 6], [6, 7], [6, 8]]
MARKED = [[(1, 3, 0)], [(1, 2, 1)], [(1, 2, 0)], [(1, 2, 0)], [], []]


def test_the_longest_value_is_marked_from_the_left() -> None:
    values = value_dictionary.learn(TEXTS, MARKED)
    assert value_dictionary.find([2, 3, 0, 2, 3, 3], values) == [(0, 2, 0), (3, 5, 0), (5, 6, 0)]
    assert value_dictionary.find([2, 0], values) == [(0, 1, 1)]
    assert value_dictionary.find([], values) == []


def test_what_is_mostly_no_value_is_none() -> None:
    values = value_dictionary.learn(TEXTS, MARKED)
    assert (6,) not in values, "marked once, and twice not"


def test_a_value_has_its_most_frequent_name() -> None:
    assert value_dictionary.learn([[1], [1], [1]], [[(0, 1, 2)], [(0, 1, 5)], [(0, 1, 5)]]) == {(1,): 5}
