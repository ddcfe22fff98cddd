"""The pipeline and its nodes by name, and what each came to, for whoever must know them without TFX."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from data.errors import WrongUse

State = Literal["ran", "cached", "failed", "skipped"]

NODES = (
    "FolderExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "DataGate",
    "Transform",
    "Reference",
    "Trainer",
    "LatestBlessed",
    "Evaluator",
    "Report",
    "Pusher",
)


@dataclass(frozen=True)
class NodeRun:
    """What one node came to. `outputs`: output name -> URI of its artifact; `start` in seconds after the run's."""

    id: str
    state: State
    start: float
    seconds: float
    outputs: dict[str, str]


def pipeline_name(task: str) -> str:
    """The name under which TFX and ML Metadata know a task's pipeline."""
    return f"benison-{task}"


def check(option: str, name: str | None) -> None:
    """Raises WrongUse if `option` was given the name of a node that there is not."""
    if name is not None and name not in NODES:
        close = difflib.get_close_matches(name, NODES, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise WrongUse(f"{option} {name}: no node is called {name!r}", f"{meant}nodes: {', '.join(NODES)}")
