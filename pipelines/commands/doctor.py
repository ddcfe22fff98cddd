"""`benison doctor`: what this machine has and lacks."""

from __future__ import annotations

from dataclasses import asdict

import typer

from pipelines.commands.options import Json, Workspace
from pipelines.commands.output import print_json, print_table
from pipelines.records.run_result import EXIT_BLESSED, EXIT_FAILED
from pipelines.records.workspace import DEFAULT_WORKSPACE


def doctor(json_output: Json = False, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Versions, cores, memory, GPUs and data clients, each with its fix."""
    from pipelines.machine import checks

    found = checks(workspace)
    if json_output:
        print_json([asdict(check) for check in found])
    else:
        print_table([asdict(check) for check in found], {"name": "what"})
    raise typer.Exit(EXIT_FAILED if any(check.state == "missing" for check in found) else EXIT_BLESSED)
