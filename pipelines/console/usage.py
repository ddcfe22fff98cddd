"""What an example to predict from consists of, and the command that asks for a prediction."""

from __future__ import annotations

from collections.abc import Mapping

import trainer.task
from data.columns import Column


def usage(task_name: str) -> str:
    """The command that asks the task's pushed model."""
    columns = inputs_of(trainer.task.load(task_name))
    if any(column.in_folder for column in columns.values()):
        return f"benison predict {task_name} FILE..."
    asked = {name: columns[name].form() for name in needed(columns) or columns}
    values = {name: field.default or (1 if field.kind == "number" else "...") for name, field in asked.items()}
    return f"benison predict {task_name} " + " ".join(f"--input {name}={value}" for name, value in values.items())


def inputs_of(task_class: type[trainer.task.Task]) -> dict[str, Column]:
    """The columns that an example to predict from has."""
    return {
        name: column for name, column in task_class.columns.items() if name not in task_class.targets and column.in_form
    }


def needed(columns: Mapping[str, Column]) -> list[str]:
    """The inputs that somebody has to give: what no folder holds has a default, or follows from the others."""
    given = any(column.in_folder for column in columns.values())
    return [
        name
        for name, column in columns.items()
        if not column.optional and (column.in_folder or (not given and column.form().default is None))
    ]
