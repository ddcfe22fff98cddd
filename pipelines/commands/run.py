"""`benison run`: one task or several, each to its verdict."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import WrongUse
from pipelines import node_list
from pipelines.commands.options import (
    Config,
    Data,
    Json,
    Limit,
    Overrides,
    Steps,
    Verbose,
    Workers,
    WorkspaceIfGiven,
    load_task,
)
from pipelines.commands.output import print_json, print_table, progress_listener
from pipelines.console.failures import Failure
from pipelines.records.run_result import RunResult, worst

if TYPE_CHECKING:
    from pipelines.settings import RunSettings


def run(
    names: Annotated[list[str] | None, typer.Argument(metavar="TASK...")] = None,
    all_tasks: Annotated[bool, typer.Option("--all", help="Run every task.")] = False,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    from_node: Annotated[
        str | None, typer.Option("--from", metavar="NODE", help="Run this node and all after it anew.")
    ] = None,
    to_node: Annotated[str | None, typer.Option("--to", metavar="NODE", help="Stop after this node.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Answer nothing from what is on disk.")] = False,
    config: Config = None,
    workspace: WorkspaceIfGiven = None,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run a task's pipeline: ingest, validate, transform, train, evaluate, report, push.

    Exit: 0 blessed and pushed, 1 failed, 2 wrong use, 3 trained but not blessed, 4 data refused; of several tasks the
    worst, and with --json a list.
    """
    from pipelines import settings

    stored = settings.read_config(config) if config else {}
    given = {
        "data": data,
        "overrides": settings.parse_overrides(overrides or []),
        "steps": steps,
        "limit": limit,
        "workers": workers,
        "from_node": from_node,
        "to_node": to_node,
        "fresh": fresh or None,
        "workspace": workspace,
    }
    chosen = _chosen(names or [], all_tasks, stored.get("task"))
    planned = [settings.merge(stored, given | {"task": name}) for name in chosen]
    for one in planned:  # a misspelt name in the last one must not show after hours
        settings.check_local(load_task(one.task).HParams, one.overrides)
        node_list.check("--from", one.from_node)
        node_list.check("--to", one.to_node)
    if len(planned) == 1:
        result = _run_one(planned[0], json_output, verbose)
        if json_output:
            print_json(result.to_json())
        raise typer.Exit(result.exit)
    raise typer.Exit(_run_all(planned, json_output, verbose))


def _chosen(names: list[str], all_tasks: bool, stored: str | None) -> list[str]:
    from trainer.task import task_names

    if all_tasks and names:
        raise WrongUse(f"--all beside {', '.join(names)}", "name the tasks, or give --all")
    chosen = task_names() if all_tasks else names or ([stored] if stored else [])
    if not chosen:
        raise WrongUse("which task?", f"name some of {', '.join(task_names())}, or give --all")
    return chosen


def _run_one(settings: RunSettings, json_output: bool, verbose: bool) -> RunResult:
    from pipelines.local.run import run as run_task

    listener = progress_listener(json_output)
    try:
        result = run_task(settings, listener, verbose)
        listener.message(result.closing())
    finally:
        listener.close()
    return result


def _run_all(planned: list[RunSettings], json_output: bool, verbose: bool) -> int:
    """One after the other; a task that fails does not keep the others from running. Returns the worst exit code."""
    ends: dict[str, RunResult | Failure] = {}
    for settings in planned:
        try:
            ends[settings.task] = _run_one(settings, json_output, verbose)
        except Exception as error:
            failure = ends[settings.task] = Failure.of(error)
            if not json_output:
                print(failure, file=sys.stderr, flush=True)
    if json_output:
        print_json([{"task": task} | end.to_json() for task, end in ends.items()])
    else:
        print()
        print_table([_end_row(task, end) for task, end in ends.items()], {})
    return worst([end.exit for end in ends.values()])


def _end_row(task: str, end: RunResult | Failure) -> dict[str, Any]:
    said = end.verdict or "done" if isinstance(end, RunResult) else f"failed: {end.message.splitlines()[0]}"
    return {"task": task, "exit": end.exit, "outcome": said}
