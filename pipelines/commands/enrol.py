"""`benison enrol`: whom a pushed model is to know, too, without being trained again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.errors import BenisonError, WrongUse
from pipelines.commands.options import Json, TaskName, Verbose, Workspace, load_task
from pipelines.commands.output import print_json, print_table
from pipelines.records.workspace import DEFAULT_WORKSPACE


def enrol(
    task: TaskName,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]")] = None,
    person: Annotated[str | None, typer.Option("--person", metavar="NAME", help="Who is on the files.")] = None,
    remove: Annotated[str | None, typer.Option("--remove", metavar="NAME", help="Forget who was enrolled.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Who is enrolled, and from how many files.")] = False,
    workspace: Workspace = DEFAULT_WORKSPACE,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Let the pushed model know somebody, list them, or forget them.

    What is kept are embeddings, not files, in WORKSPACE/TASK/gallery/, readable by its owner alone; the pushed model
    stays as it is. A newly pushed version has to be told anew.
    """
    from pipelines.console import logs
    from pipelines.records.workspace import named, task_space
    from pipelines.serving import enrolment, gallery

    load_task(task)
    usage = f"benison enrol {task} --person NAME FILE..., --list, or --remove NAME"
    if (bool(files) != bool(person)) or [person is not None, remove is not None, listed].count(True) != 1:
        raise WrongUse("give a name with files, --list, or --remove with a name", usage)
    space = task_space(workspace, task)
    if not space.serving.is_dir():
        raise BenisonError(f"{task} has no pushed model in {workspace}", f"benison run {task}{named(workspace)}")
    if person is not None:
        with logs.captured(space.root / "enrol.log", verbose):
            enrolment.enrol(task, space.serving, person, files or [])
    elif remove is not None:
        enrolment.remove(space.serving, remove)
    enrolled = gallery.read(gallery.folder_beside(space.serving))
    rows = [{"person": name, "files": count} for name, count in sorted(enrolled.counts.items())]
    if json_output:
        print_json(rows)
    elif rows:
        print_table(rows, {})
    else:
        print("nobody is enrolled")
