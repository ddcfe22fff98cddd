"""`benison compile`: a task's pipeline as a package for Kubeflow Pipelines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BenisonError
from pipelines.commands.options import (
    Config,
    Data,
    Image,
    Limit,
    Overrides,
    Steps,
    TaskName,
    Verbose,
    Workers,
    cluster_settings,
)

if TYPE_CHECKING:
    from pipelines.settings import RunSettings


def compile_package(
    task: TaskName,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.yaml", dir_okay=False, help="Where the package goes.")
    ],
    image: Image = None,
    data: Data = None,
    overrides: Overrides = None,
    steps: Steps = None,
    limit: Limit = None,
    workers: Workers = None,
    config: Config = None,
    verbose: Verbose = False,
) -> None:
    """Write a task's pipeline as a package for Kubeflow Pipelines.

    --data: a folder on the cluster's shared volume, a catalogue name or tfds:NAME.
    """
    write_logged_package(cluster_settings(task, image, data, overrides, steps, limit, workers, config), output, verbose)
    print(output)


def write_logged_package(settings: RunSettings, output: Path, verbose: bool) -> None:
    """What libraries say meanwhile goes to a file that is kept if something unexpected is raised."""
    import tempfile

    from pipelines.cluster.package import write_package
    from pipelines.console import logs

    handle, log = tempfile.mkstemp(prefix="benison-", suffix=".log")
    os.close(handle)
    try:
        with logs.captured(Path(log), verbose):
            write_package(settings, output)
    except BenisonError as error:
        del error.__dict__["benison_log"]
        os.unlink(log)
        raise
    os.unlink(log)
