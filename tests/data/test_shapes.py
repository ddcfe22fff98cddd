"""What was read is checked against types: each wrong value is named by its place, in long lists, too."""

from __future__ import annotations

from typing import Any

import pytest

from data.shapes import WrongShape, expect


@pytest.mark.parametrize("shape", [list[int], list[float], list[str], list[list[int]], list[str | int]])
def test_an_empty_list_is_one_of_anything(shape: Any) -> None:
    expect([], shape)


@pytest.mark.parametrize(
    ("value", "shape", "said"),
    [
        ([1] * 1000 + ["x"], list[int], "1000 should be a whole number"),
        ([1, True], list[int], "1 should be a whole number and is True"),
        ([[1, 2], [3, 0.5]], list[list[int]], "1.1 should be a whole number and is 0.5"),
        ([0.5, None, 1, False], list[float], "3 should be a number and is False"),
        (["a", None], list[str], "1 should be a text and is null"),
    ],
)
def test_the_one_wrong_value_of_a_list_is_found(value: Any, shape: Any, said: str) -> None:
    with pytest.raises(WrongShape, match=said):
        expect(value, shape)


def test_a_number_may_be_missing_or_whole() -> None:
    expect([0.5, None, 1], list[float])
