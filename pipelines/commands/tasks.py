"""`benison tasks`: every task with its last score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.commands.options import Json, Workspace, load_task
from pipelines.commands.output import print_json, print_table
from pipelines.records.workspace import DEFAULT_WORKSPACE


def tasks(json_output: Json = False, workspace: Workspace = DEFAULT_WORKSPACE) -> None:
    """Every task: question, data, metric, gate and last score."""
    from trainer.task import task_names

    rows = [_row(name, workspace) for name in task_names()]
    if json_output:
        print_json(rows)
    else:
        print_table(rows, {"questions": "Q", "last": "last score"})


def _row(name: str, workspace: Path) -> dict[str, Any]:
    from pipelines.records.workspace import task_space

    task = load_task(name)
    evaluation = task(task.HParams()).metrics()
    metric = evaluation.gates[0].metric
    last = task_space(workspace, name).last_run
    score = last["result"]["metrics"].get(metric) if last else None
    return {
        "task": name,
        "title": task.title,
        "questions": list(task.questions),
        "modality": task.modality,
        "data": task.data,
        "metric": metric,
        "gate": "; ".join(str(gate) for gate in evaluation.gates),
        "last": score,
    }
