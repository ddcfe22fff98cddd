"""`benison predict`: the pushed model's answers to files, or to one example given by name."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Annotated

import typer

from data.errors import BenisonError, WrongUse
from pipelines.commands.options import Json, TaskName, Threshold, Verbose, Workspace, load_task, name_and_value
from pipelines.commands.output import print_json, print_table
from pipelines.records.workspace import DEFAULT_WORKSPACE


def predict(
    task: TaskName,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]")] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="NAME=VALUE", help="One input of an example; beside files what they need not hold."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", file_okay=False, help="Where pictures go.")
    ] = None,
    threshold: Threshold = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Ask the pushed model, after its digests were verified. A text that it writes is shown on a terminal while it is
    being written."""
    from pipelines.console import logs
    from pipelines.console.usage import inputs_of, usage
    from pipelines.records.workspace import named, task_space
    from pipelines.serving.inputs import chosen_beside_files
    from pipelines.serving.predict import predict as answers_of
    from trainer import decisions

    task_class = load_task(task)
    columns = inputs_of(task_class)
    decisions.chosen(task_class(task_class.HParams()), task, threshold)  # refused before a model is looked for
    if not files and not inputs:
        raise WrongUse("give files, or --input NAME=VALUE", usage(task, workspace))
    given = dict(name_and_value(text) for text in inputs or [])
    if files:
        chosen_beside_files(given, columns)
    space = task_space(workspace, task)
    if not space.serving.is_dir():
        raise BenisonError(f"{task} has no pushed model in {workspace}", f"benison run {task}{named(workspace)}")
    pictures = output or (None if json_output else space.predictions)
    show = None
    if sys.stdout.isatty() and not json_output:
        show = functools.partial(print, end="", file=logs.terminal(sys.stdout), flush=True)
    with logs.captured((output or space.root) / "predict.log", verbose):
        answers = answers_of(
            task, files or [], space.serving, pictures, given, not json_output, show, threshold=threshold
        )
    if json_output:
        print_json(answers)
    else:
        print_table(answers, {})
