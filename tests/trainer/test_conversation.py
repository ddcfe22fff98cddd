"""Turns of a conversation, which whoever holds them may have changed."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import BadValue
from trainer.conversation import KEPT, Turn, kept


def test_a_turn_goes_out_and_comes_back() -> None:
    turn = Turn("hello", "hi", {"slots": {"a": "b"}})
    assert Turn.of_json(turn.to_json()) == turn


@pytest.mark.parametrize(
    "value",
    [
        None,
        "hello",
        {},
        {"said": "a", "answered": "b"},
        {"said": 1, "answered": "b", "state": {}},
        {"said": "a", "answered": "b", "state": []},
        {"said": "a" * 30_000, "answered": "b", "state": {}},
        {"said": "a", "answered": "b", "state": {}, "more": 1},
    ],
)
def test_what_is_no_turn_is_refused(value: Any) -> None:
    with pytest.raises(BadValue):
        Turn.of_json(value)


def test_the_last_turns_are_kept() -> None:
    turns = [Turn(str(number), "") for number in range(KEPT + 5)]
    assert [turn.said for turn in kept(turns)] == [str(number) for number in range(5, KEPT + 5)]
