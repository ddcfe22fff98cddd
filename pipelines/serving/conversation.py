"""A conversation with a pushed model, line by line: what `benison chat` and the dashboard hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data.errors import BadValue, WrongUse
from pipelines.console.usage import inputs_of
from pipelines.serving.inputs import given_example
from pipelines.serving.served import Served
from trainer.conversation import Converses, Turn, kept
from trainer.task import Task


def check_converses(task_name: str, task_class: type[Task]) -> None:
    """
    Raises:
      WrongUse: the task holds no conversation.
    """
    if not issubclass(task_class, Converses):
        from trainer.task import load, task_names

        those = [name for name in task_names() if issubclass(load(name), Converses)]
        raise WrongUse(f"{task_name} holds no conversation", f"tasks that do: {', '.join(those) or 'none'}")


def chosen_inputs(task_class: type[Task]) -> list[str]:
    """The inputs that a person may choose for a whole conversation, as a temperature: those that no line makes."""
    columns = inputs_of(task_class)
    return [name for name, column in columns.items() if not column.in_folder and column.stand_in is not None]


class Conversation:
    """One with a model that is loaded when the first line is answered, and kept. The last turns are kept.

    Args:
      served: who answers.
      chosen: inputs that no line makes, as a temperature, for all lines.
      turns: what was said before.

    Raises:
      WrongUse: the task holds no conversation, or what is chosen is none of its inputs that may be.
    """

    def __init__(self, served: Served, chosen: Mapping[str, str] | None = None, turns: Sequence[Turn] = ()) -> None:
        check_converses(served.name, type(served.task))
        may = chosen_inputs(type(served.task))
        for name in chosen or {}:
            if name not in may:
                said = f"it may be {', '.join(may)}" if may else f"{served.name} has nothing to choose"
                raise WrongUse(f"--input {name} is nothing to choose for a conversation", said)
        self._served, self._chosen, self.turns = served, dict(chosen or {}), kept(turns)

    def say(self, line: str) -> Turn:
        """The turn that answers the line, which is kept.

        Raises:
          DataRefused: the line is not what the task reads, as one that is too long.
          BenisonError: the model was made for other columns.
        """
        task = self._served.task
        assert isinstance(task, Converses)
        given = {**task.turn_inputs(self.turns, line), **self._chosen}
        example = given_example(given, type(task), self._served.name)
        [(_, answer)] = self._served.answers([example])
        turn = task.turn(self.turns, line, answer)
        self.turns = kept((*self.turns, turn))
        return turn

    def reset(self) -> None:
        """Forgets what was said."""
        self.turns = ()


def next_turn(served: Served, line: str, turns: Sequence[Any], chosen: Mapping[str, str] | None = None) -> Turn:
    """The turn that answers a line of a conversation that somebody else holds: `turns` as `Turn.to_json` made them.

    Raises:
      WrongUse: they are none. Else as `Conversation`.
    """
    try:
        return Conversation(served, chosen, [Turn.of_json(turn) for turn in turns]).say(line)
    except BadValue as error:
        raise WrongUse(f"this conversation cannot be gone on with: {error}", "begin a new one") from None
