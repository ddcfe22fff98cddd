"""`benison report`: a run's report as a file of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import TaskName, Threshold, Workspace, load_task
from pipelines.records.workspace import DEFAULT_WORKSPACE


def report(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.html", dir_okay=False, help="Where the page goes.")
    ],
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="Which run, as the dashboard names it; else the last.")
    ] = None,
    threshold: Threshold = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Write a run's report as one self-contained page: the last finished run's, or that of --run; with the figures at
    --threshold, to the nearest hundredth, of a task that takes one."""
    import shutil

    from components.report.page import page_of, read
    from pipelines.records.workspace import task_space

    load_task(task)
    page = task_space(workspace, task).report_page(run_id)
    output.parent.mkdir(parents=True, exist_ok=True)
    if threshold is None:
        shutil.copyfile(page, output)
    else:
        output.write_text(page_of(read(page.parent), page.parent, threshold), encoding="utf-8")
    print(output)
