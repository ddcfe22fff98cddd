"""`benison new-task`: the file that a new task begins with."""

from __future__ import annotations

from typing import Annotated

import typer


def new_task(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Write a new task's file, which passes the contract's tests as it stands."""
    from pipelines.new_task import create

    print(f"{create(name)}\nnext: benison run {name}   then change what it reads, builds and measures")
