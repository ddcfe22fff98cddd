"""A task's assets in a run: where they lie, in the form in which nodes are told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data.sources import assets
from data.sources.cache import Progress
from trainer.task import HParams, Task

LocatedAssets = Mapping[str, Mapping[str, str] | None]
"""A task's own name of an asset -> file and digest; None for one that is done without. JSON."""

NODES = {"Reference": "config", "Trainer": "custom_config"}
"""Nodes that use assets -> their parameter, JSON, that holds where these lie, as `KEY`. It is part of the nodes' cache
keys: a changed asset reruns them."""

KEY = "assets"


def chosen(task_class: type[Task], hparams: HParams) -> dict[str, str]:
    """What a person gave in place of each asset; empty for the catalogue's."""
    return {name: getattr(hparams, name) for name in task_class.assets}


def described(task_class: type[Task], hparams: HParams) -> dict[str, str]:
    """What a run was given for each asset, in words for people."""
    words = {}
    for name, choice in chosen(task_class, hparams).items():
        entry = assets.ASSETS.get(task_class.assets[name])
        words[name] = choice or f"{entry.name} ({entry.licence}; {entry.credit})"
    return words


def locate(
    task_class: type[Task], hparams: HParams, progress: Progress, cache: Path | None = None
) -> dict[str, dict[str, str] | None]:
    """Fetches or checks the assets of a run.

    Raises:
      WrongUse: a file that a person gave is not there, or of another form.
      BenisonError: an asset cannot be fetched.
    """
    located = assets.locate(task_class.assets, chosen(task_class, hparams), progress, cache)
    return {name: None if one is None else one.to_json() for name, one in located.items()}
