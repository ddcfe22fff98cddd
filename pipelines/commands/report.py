"""`benison report`: the last run's report as a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.errors import BenisonError
from pipelines.commands.options import TaskName, Workspace, load_task
from pipelines.records.workspace import DEFAULT_WORKSPACE


def report(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.html", dir_okay=False, help="Where the page goes.")
    ],
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Write the last run's report as one self-contained page."""
    import shutil

    from pipelines.records.workspace import named, task_space

    load_task(task)
    last = task_space(workspace, task).last_run
    page = Path(last["result"]["places"].get("report", "")) if last else Path()
    if not page.is_file():
        raise BenisonError(f"{task} has no finished run in {workspace}", f"benison run {task}{named(workspace)}")
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(page, output)
    print(output)
