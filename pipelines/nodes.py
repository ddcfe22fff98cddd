"""The pipeline's nodes by name, for whoever must know them before TFX is imported."""

from __future__ import annotations

import difflib

from data.errors import WrongUse

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


def check(option: str, name: str | None) -> None:
    """Raises WrongUse if `option` was given the name of a node that there is not."""
    if name is not None and name not in NODES:
        close = difflib.get_close_matches(name, NODES, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise WrongUse(f"{option} {name}: no node is called {name!r}", f"{meant}nodes: {', '.join(NODES)}")
