"""Options and arguments that several commands share: one name, one meaning, one help text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import WrongUse

if TYPE_CHECKING:
    from pipelines.settings import RunSettings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Copy the full log to standard error.")]
_WORKSPACE: Any = typer.Option(
    "--workspace", envvar="BENISON_WORKSPACE", file_okay=False, help="Where runs and models are kept."
)
Workspace = Annotated[Path, _WORKSPACE]
WorkspaceIfGiven = Annotated[Path | None, _WORKSPACE]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold", metavar="0..1", min=0, max=1, help="What an answer's score has to reach, of tasks that have one."
    ),
]
TaskName = Annotated[str, typer.Argument(metavar="TASK")]
Data = Annotated[str | None, typer.Option("--data", metavar="D", help="A folder, a catalogue name or tfds:NAME.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter, limit, beam.* or cluster.*; may be repeated."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="At most so many training steps.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many records of each split.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Training processes.")]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings as YAML; the command line wins.")
]
Image = Annotated[str | None, typer.Option("--image", metavar="I", help="The same as --set cluster.image=I.")]


def load_task(name: str) -> Any:
    """The class of the task that is called so. Raises WrongUse if there is none."""
    from trainer.task import load

    return load(name)


def name_and_value(text: str) -> tuple[str, str]:
    """Of `--input NAME=VALUE`. Raises WrongUse."""
    name, equals, value = text.partition("=")
    if not equals:
        raise WrongUse(f"--input {text} has no value", "write it as --input NAME=VALUE")
    return name, value


def cluster_settings(
    task: str,
    image: str | None,
    data: str | None,
    overrides: list[str] | None,
    steps: int | None,
    limit: int | None,
    workers: int | None,
    config: Path | None,
) -> RunSettings:
    """The run that the options of `compile` and `submit` describe. Raises WrongUse."""
    from pipelines import settings

    load_task(task)
    named = {"cluster.image": image} if image else {}
    given = {"task": task, "data": data, "steps": steps, "limit": limit, "workers": workers}
    stored = settings.read_config(config) if config else {}
    return settings.merge(stored, given | {"overrides": settings.parse_overrides(overrides or []) | named})
