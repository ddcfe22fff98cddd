"""A conversation with a model: its turns, of which the last ones are what the next is answered by.

What a task must keep from one turn to the next lies in the turn's `state`, in plain JSON types, so that whoever holds
the turns, a terminal or a page, holds all there is, and the model's process nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from data.errors import BadValue

KEPT = 20
"""Turns of a conversation that are kept."""

_LONGEST = 20_000
"""Characters of a line, said or answered."""


@dataclass(frozen=True)
class Turn:
    """What a person said and what was answered. `state` is the task's own, in JSON types."""

    said: str
    answered: str
    state: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, value: Any) -> Turn:
        """
        Raises:
          BadValue: it is no turn.
        """
        if not isinstance(value, Mapping) or value.keys() != {"said", "answered", "state"}:
            raise BadValue("a turn has said, answered and state")
        said, answered, state = value["said"], value["answered"], value["state"]
        if not (isinstance(said, str) and isinstance(answered, str) and isinstance(state, Mapping)):
            raise BadValue("a turn is two texts and what the task keeps")
        if len(said) > _LONGEST or len(answered) > _LONGEST:
            raise BadValue(f"a line of a conversation is longer than {_LONGEST:,} characters")
        return cls(said, answered, state)


class Converses(ABC):
    """What a task is, too, with which `benison chat` and the dashboard hold conversations.

    In both methods `turns` are those before the line, the last one last, at most `KEPT`.
    """

    @abstractmethod
    def turn_inputs(self, turns: Sequence[Turn], line: str) -> Mapping[str, str]:
        """What the model is asked for the next line: input -> value."""

    @abstractmethod
    def turn(self, turns: Sequence[Turn], line: str, prediction: Mapping[str, Any]) -> Turn:
        """What is answered to it: `prediction` is the model's answer to `turn_inputs`.

        Raises:
          BadValue: a turn's state is none of this task's; it came from outside.
        """


def kept(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The last of them."""
    return tuple(turns[-KEPT:])
