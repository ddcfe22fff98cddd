"""What an example to predict from consists of, and the command that asks for a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import trainer.task
from data.columns import Column, FormField
from pipelines.records.workspace import named


def usage(task_name: str, workspace: Path | None = None, threshold: float | None = None) -> str:
    """The command that asks the task's model pushed in `workspace`, by default that which commands take by themselves.

    What a person has to put in is in capitals: a file, a table with a row for each example, or the value of an input.
    `threshold`: what an answer's score has to reach, of a task that takes one.
    """
    columns = inputs_of(trainer.task.load(task_name))
    fields = {name: columns[name].form() for name in usual(columns) or columns}
    chosen = "" if threshold is None else f"--threshold {threshold:g} "
    return f"benison predict {task_name} {chosen}{_inputs(fields)}{'' if workspace is None else named(workspace)}"


def _inputs(fields: dict[str, FormField]) -> str:
    kinds = [field.kind for field in fields.values()]
    if "table" in kinds:
        return "TABLE.csv"
    if kinds == ["file"]:
        return "FILE..."
    return " ".join(f"--input {name}={_value(field)}" for name, field in fields.items())


def _value(field: FormField) -> str:
    if field.default is not None:
        return str(field.default)
    if field.kind == "number":
        return f"{1 if field.minimum is None else max(field.minimum, 1):g}"
    if field.kind == "choice":
        return field.choices[0]
    return "FILE" if field.kind == "file" else "TEXT"


def inputs_of(task_class: type[trainer.task.Task]) -> dict[str, Column]:
    """The columns that an example to predict from has."""
    return {
        name: column for name, column in task_class.columns.items() if name not in task_class.targets and column.in_form
    }


def needed(columns: Mapping[str, Column]) -> list[str]:
    """The inputs that somebody has to give: what no folder holds has a default, or follows from the others."""
    return [
        name
        for name, column in columns.items()
        if not column.optional and column.stand_in is None and (column.in_folder or not column.follows_from(columns))
    ]


def usual(columns: Mapping[str, Column]) -> list[str]:
    """The inputs that are needed or, where none is, those that folders hold."""
    return needed(columns) or [name for name, column in columns.items() if column.in_folder]
