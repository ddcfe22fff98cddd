"""`benison predict`: the pushed model's answers to files, or to one example given by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from data.errors import BenisonError, WrongUse
from pipelines.commands.options import DEFAULT_WORKSPACE, Json, TaskName, Verbose, Workspace, load_task
from pipelines.commands.output import print_json, print_table

SHOWN_CLASSES = 3


def predict(
    task: TaskName,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]")] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=VALUE", help="In place of files: one input of an example."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", file_okay=False, help="Where pictures go.")
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Ask the pushed model, after its digests were verified."""
    from pipelines.console import logs
    from pipelines.console.usage import usage
    from pipelines.records.workspace import task_space
    from pipelines.serving.predict import predict as answers_of

    load_task(task)
    if bool(files) == bool(inputs):
        raise WrongUse("give either files or --input NAME=VALUE", usage(task))
    given = dict(_name_and_value(text) for text in inputs or [])
    space = task_space(workspace, task)
    if not space.serving.is_dir():
        raise BenisonError(f"{task} has no pushed model in {workspace}", f"benison run {task}")
    pictures = output or (None if json_output else space.predictions)
    with logs.captured((output or space.root) / "predict.log", verbose):
        answers = answers_of(task, files or [], space.serving, pictures, given)
    if json_output:
        print_json(answers)
    else:
        print_table([_answer_row(answer) for answer in answers], {})


def _answer_row(answer: dict[str, Any]) -> dict[str, Any]:
    row = {"file": answer["file"] + (f", row {answer['row']}" if "row" in answer else "")}
    rest = {
        name: value for name, value in answer.items() if name not in ("file", "row", "picture") and not _nested(value)
    }
    if "probabilities" in rest:
        best = list(rest["probabilities"].items())[:SHOWN_CLASSES]
        rest["probabilities"] = ", ".join(f"{label} {probability:.1%}" for label, probability in best)
    return row | rest | ({"picture": answer["picture"]} if "picture" in answer else {})


def _nested(value: Any) -> bool:
    """Whether it is a list of lists, as of boxes, which no cell of a table holds: it is in the picture and in JSON."""
    return isinstance(value, list) and any(isinstance(one, list) for one in value)


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise WrongUse(f"--input {text} has no value", "write it as --input NAME=VALUE")
    return name, value
