"""`benison submit`: a task's pipeline run by Kubeflow Pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.compile import write_logged_package
from pipelines.commands.options import (
    Config,
    Data,
    Image,
    Json,
    Limit,
    Overrides,
    Steps,
    TaskName,
    Verbose,
    Workers,
    cluster_settings,
)
from pipelines.commands.output import print_json, progress_listener
from pipelines.records.run_result import EXIT_BLESSED


def submit(
    task: TaskName,
    host: Annotated[str, typer.Option("--host", metavar="URL", help="Of Kubeflow Pipelines.")],
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", metavar="NS", help="On a multi-user Kubeflow; otherwise cluster.namespace."),
    ] = None,
    experiment: Annotated[
        str, typer.Option("--experiment", metavar="NAME", help="Under which the run is filed.")
    ] = "benison",
    wait: Annotated[bool, typer.Option("--wait", help="Follow the run and end with its exit code.")] = False,
    image: Image = None,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    config: Config = None,
    json_output: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run a task's pipeline on Kubeflow Pipelines. A token for it is read from BENISON_KFP_TOKEN.

    Exit with --wait: 0 blessed and pushed, 1 failed, 3 trained but not blessed, 4 data refused.
    """
    import tempfile

    from pipelines.cluster.submit import Server

    settings = cluster_settings(task, image, data, overrides, steps, limit, workers, config)
    server = Server.reached(host)
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch, "package.yaml")
        write_logged_package(settings, package, verbose)
        submitted = server.start(settings, package, namespace, experiment)
    listener = progress_listener(json_output)
    listener.message(f"{task}: {submitted.address}")
    code = submitted.follow(listener) if wait else EXIT_BLESSED
    if json_output:
        print_json({"task": task, "run_id": submitted.run_id, "address": submitted.address, "exit": code})
    raise typer.Exit(code)
