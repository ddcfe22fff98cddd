"""What an example to predict from consists of, and the command that asks for a prediction."""

from __future__ import annotations

import trainer.task
from data.columns import Column, Seed


def usage(task_name: str) -> str:
    """The command that asks the task's pushed model."""
    columns = inputs_of(trainer.task.load(task_name))
    if all(isinstance(column, Seed) for column in columns.values()):
        return f"benison predict {task_name} " + " ".join(f"--input {name}=1" for name in columns)
    return f"benison predict {task_name} FILE..."


def inputs_of(task_class: type[trainer.task.Task]) -> dict[str, Column]:
    """The columns that an example to predict from has."""
    return {name: column for name, column in task_class.columns.items() if name not in task_class.targets}
