"""A task's pipeline on this machine: what `benison run` and TFX's own LocalDagRunner both run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from components.report.page import render
from data.errors import BenisonError
from data.sources import catalogue
from data.sources.cache import Progress
from pipelines import assets
from pipelines.assets import LocatedAssets
from pipelines.node_list import pipeline_name
from pipelines.quick_imports import quick_imports
from pipelines.records.workspace import TaskSpace, task_space
from pipelines.settings import RunSettings, check_local, settings_of_keywords
from trainer.task import HParams, Task, load

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline


class Inputs(NamedTuple):
    """What a run on this machine works on."""

    data: Path
    """A folder."""
    assets: LocatedAssets

    @classmethod
    def of(cls, settings: RunSettings, task_class: type[Task], hparams: HParams, progress: Progress) -> Inputs:
        """Fetched where they have names in the catalogue; the assets, which are checked faster, before the data."""
        located = assets.locate(task_class, hparams, progress)
        return cls(catalogue.resolve(settings.data or task_class.data, task_class.columns, progress).resolve(), located)


class Verdict(NamedTuple):
    """What a run came to. `report` is the folder with `report.json` and `index.html`."""

    blessed: bool
    text: str
    report: Path


def local_pipeline(settings: RunSettings, space: TaskSpace, inputs: Inputs) -> Pipeline:
    """The pipeline of a run of these inputs, with metadata in a file of the workspace."""
    with quick_imports():
        from trainer.backend import load_tensorflow

        load_tensorflow()
        from pipelines import dag
        from pipelines.beam import adapt_beam
        from pipelines.records.lineage import sqlite_connection

    adapt_beam()
    connection = sqlite_connection(space.metadata_db)
    return dag.build(
        load(settings.task), dag.PipelineSettings.of(settings, space, inputs.data, inputs.assets, connection)
    )


def created(task: str, data: str | Path | None, workspace: Path, keywords: Mapping[str, Any]) -> Pipeline:
    """See `pipelines.create_pipeline`."""
    task_class = load(task)
    settings = settings_of_keywords("create_pipeline", task, data, workspace, keywords)
    hparams = check_local(task_class.HParams, settings.overrides)
    space = task_space(workspace, task)
    space.make()  # the metadata store makes no folders
    return local_pipeline(settings, space, Inputs.of(settings, task_class, hparams, _log))


def last_verdict(task: str, workspace: Path) -> Verdict:
    """See `pipelines.verdict`."""
    load(task)
    space = task_space(workspace, task)
    report = _last_report(task, space)
    if report is None:
        raise BenisonError(f"{task} has no finished run in {workspace}", f"benison run {task}")
    found = json.loads((report / "report.json").read_text(encoding="utf-8"))
    render(report)
    return Verdict(found["blessed"], found["verdict"], report)


def _last_report(task: str, space: TaskSpace) -> Path | None:
    from pipelines.records import lineage

    store = lineage.read_only(space.metadata_db)
    if store is None:
        return None
    node = store.get_context_by_type_and_name("node", f"{pipeline_name(task)}.Report")
    executions = store.get_executions_by_context(node.id) if node else []
    ended = [execution for execution in executions if lineage.state_of(execution) != "failed"]
    if not ended:
        return None
    last = max(ended, key=lambda execution: execution.id)
    return Path(lineage.output_uris(store, last.id)["report"])


def _log(text: str) -> None:
    from absl import logging

    logging.info("%s", text)
