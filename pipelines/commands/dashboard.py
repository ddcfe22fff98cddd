"""`benison dashboard`: all runs and models as web pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from data.errors import BenisonError, WrongUse
from pipelines.commands.options import Workspace
from pipelines.records.run_result import EXIT_BLESSED
from pipelines.records.workspace import DEFAULT_WORKSPACE


def dashboard(
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; beyond loopback it needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The first free one from 8050 on if not given.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Holds the token to ask for."),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            "--public-url", metavar="URL", help="Where a proxy in front of it is opened, as https://dash.example.org."
        ),
    ] = None,
    follow: Annotated[
        list[Path] | None,
        typer.Option(
            "--follow",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="A folder outside the workspace that links in it may lead to; may be repeated.",
        ),
    ] = None,
    notes: Annotated[
        bool | None,
        typer.Option(
            "--notes/--no-notes", help="Take names, notes and tags of runs; by default where it asks for no token."
        ),
    ] = None,
    workspace: Workspace = DEFAULT_WORKSPACE,
) -> None:
    """Show all runs and models as web pages, until Ctrl-C; a token may also be in BENISON_DASHBOARD_TOKEN."""
    try:
        from dashboard.app import serve
    except ModuleNotFoundError as missing:
        raise BenisonError(f"the dashboard needs {missing.name}", "pip install 'benison[dashboard]'") from None
    from dashboard.security import Policy

    try:
        token = (
            token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get("BENISON_DASHBOARD_TOKEN")
        )
    except OSError as error:
        raise WrongUse(f"{token_file} cannot be read: {error.strerror}", "give a file that holds the token") from None
    policy = Policy(host, token or None, public_url)
    try:
        serve(workspace, policy, port, lambda line: print(line, flush=True), follow or (), notes)
    except KeyboardInterrupt:  # that is how it ends
        raise typer.Exit(EXIT_BLESSED) from None
