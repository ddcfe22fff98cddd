"""Workspaces as runs leave them, without a pipeline: the same files, written by the same code where it can be."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from components import manifest
from components.report.answer_table import AnswersData, AnswerTable
from pipelines.records.run_result import RunResult
from trainer.assessment import Assessment
from trainer.curves import Series, StepCurves
from trainer.preview import Bars, Box, Curve, Picture, Preview, Sound, Words
from trainer.preview.disk import write

HOSTILE = "<script>document.title='stolen'</script>"
NODES = ("FolderExampleGen", "StatisticsGen", "DataGate", "Transform", "Trainer", "Evaluator", "Report", "Pusher")
FIRST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def run_id(number: int) -> str:
    return (FIRST + timedelta(hours=number)).strftime("%Y%m%d-%H%M%S-%f")


def gate(metric: str, value: float, bound: float, slice_name: str = "", higher: bool = True) -> dict[str, Any]:
    return {
        "metric": metric,
        "value": value,
        "bound": bound,
        "bound_from": "floor",
        "higher_is_better": higher,
        "passed": value >= bound if higher else value <= bound,
        "slice": slice_name,
    }


def state(task: str, number: int, word: str, **changes: Any) -> dict[str, Any]:
    """What `pipelines.records.run_record` and `pipelines.records.live_state` leave of a run."""
    nodes = [{"id": n, "state": "ran", "start": float(i), "seconds": 1.0} for i, n in enumerate(NODES)]
    return {
        "task": task,
        "run_id": run_id(number),
        "state": word,
        "started": (FIRST + timedelta(hours=number)).isoformat(),
        "seconds": 8.0 + number,
        "key_metric": "accuracy",
        "higher_is_better": True,
        "data": {"name": "digits", "fingerprint": f"{number:016x}"},
        "code_digest": "0123456789abcdef",
        "hparams": {"epochs": 3},
        "nodes": nodes,
        "nodes_total": len(NODES),
        "progress": {},
    } | changes


def result(task: str, number: int, score: float, bound: float = 0.5, **changes: Any) -> RunResult:
    """What `pipelines.local.run` leaves of a run that reached its end."""
    blessed = score >= bound
    verdict = (
        f"{'blessed' if blessed else 'not blessed'}: accuracy {score:.4g}, {'≥' if blessed else '<'} {bound} (floor)"
    )
    known = {
        "blessed": blessed,
        "exit": 0 if blessed else 3,
        "metrics": {"accuracy": score, "loss": 1 - score},
        "intervals": {"accuracy": [score - 0.05, score + 0.05]},
        "reference": {"nearest neighbours": {"accuracy": 0.6}},
        "examples": {"train": 800, "eval": 200, "quarantined": 0},
        "nodes": state(task, number, "finished")["nodes"],
        "seconds": 8.0 + number,
        "verdict": verdict,
        "gates": [gate("accuracy", score, bound), gate("accuracy", 0.4, 0.3, "label: 2")],
    }
    return RunResult(task=task, run_id=run_id(number), **(known | changes))


def write_run(workspace: Path, kept: dict[str, Any], end: RunResult | None = None, log: str = "") -> Path:
    folder = workspace / kept["task"] / "runs" / kept["run_id"]
    folder.mkdir(parents=True)
    (folder / "state.json").write_text(json.dumps(kept), encoding="utf-8")
    if end:
        (folder / "result.json").write_text(json.dumps(dataclasses.asdict(end)), encoding="utf-8")
    (folder / "settings.yaml").write_text(f"task: {kept['task']}\n", encoding="utf-8")
    (folder / "log.txt").write_text(log, encoding="utf-8")
    return folder


def finished(
    workspace: Path, task: str, number: int, score: float, data: str = "digits", fingerprint: str = "", **report: Any
) -> Path:
    """A run that reached its end, with one preview of each kind; on data of its own unless a fingerprint is given."""
    end, read = result(task, number, score), {"name": data, "fingerprint": fingerprint or f"{number:016x}"}
    folder = write_run(workspace, state(task, number, "finished", data=read), end, log="line 1\nline 2\n")
    (folder / "report").mkdir()
    records = write(previews(score), folder / "report")
    found = {
        "task": task,
        "title": "Digits & letters",
        "questions": [1, 4],
        "run_id": end.run_id,
        "state": "finished",
        "blessed": end.blessed,
        "verdict": end.verdict,
        "key_metric": "accuracy",
        "gates": end.gates,
        "metrics": end.metrics,
        "reference": end.reference,
        "baseline": {"accuracy": 0.55},
        "slices": [slice_row("1", score), slice_row("2", score / 2), slice_row(HOSTILE, score / 3)],
        "confusion": {"labels": ["1", "2", HOSTILE], "counts": [[9, 1, 0], [0, 8, 2], [3, 0, 7]]},
        "curves": {"loss": [1.0, 0.5, 1 - score], "val_loss": [0.9, 0.6, 0.4]},
        "plots": plots(),
        "thresholds": thresholds(),
        "examples": end.examples,
        "statistics": statistics(),
        "quarantine": [],
        "previews": [record | {"example": f"{i:016x}"} for i, record in enumerate(records)],
        "hparams": {"epochs": 3, "learning_rate": 0.001 * (number + 1)},
        "settings": {"task": task, "workers": 1},
        "data": read,
        "code_digest": "0123456789abcdef",
        "versions": {"tfx": "1.16.0"},
        "nodes": end.nodes,
        "pushed": None,
    }
    (folder / "report" / "report.json").write_text(json.dumps(found | report), encoding="utf-8")
    return folder


ANSWERED = 60
ANSWERS = AnswersData(rows=ANSWERED, loss="−log of the truth's probability", slices=["label"])


def write_answers(folder: Path, shift: int = 0) -> None:
    """The table of all answers of such a run: every fifth is wrong, those from `shift` on."""
    table = AnswerTable(folder / "report", ["label"])
    for place in range(ANSWERED):
        truth, wrong = str(place % 3), (place + shift) % 5 == 0
        answer = str((place + 1) % 3) if wrong else truth
        given = (place + 1) / (2 * ANSWERED)
        assessed = Assessment(answer, truth, not wrong, 1 - given, -math.log(given), ANSWERS["loss"])
        table.add(f"{place:016x}", place, f"=number {place} of {HOSTILE}", assessed, {"label": truth})
    assert table.close() == ANSWERS


def step_curves(points: int, *names: str, scale: float = 1.0) -> StepCurves:
    """A falling loss and a learning rate, one point each ten steps and two seconds, and two rounds."""
    steps = [10 * (i + 1) for i in range(points)]
    values: dict[str, list[float | None]] = {
        name: [scale * (1 + (-1) ** i / 4) / (1 + i) for i in range(points)] for name in ("loss", *names)
    }
    values["learning_rate"] = [0.1 * (1 - i / points) for i in range(points)]
    training = Series(steps=steps, seconds=[step / 5 for step in steps], values=values)
    ends = [steps[points // 2], steps[-1]]
    rounds = Series(steps=ends, seconds=[end / 5 + 0.5 for end in ends], values={"loss": [scale, scale / 2]})
    return StepCurves(training=training, held_out=rounds)


def with_previews(folder: Path, field: str, shown: Sequence[Preview]) -> None:
    """Adds previews to the report of a finished run, under a field of their own."""
    file = folder / "report" / "report.json"
    report = json.loads(file.read_text(encoding="utf-8"))
    records = write(shown, folder / "report", field)
    report[field] = [record | {"example": f"{i:016x}"} for i, record in enumerate(records)]
    file.write_text(json.dumps(report), encoding="utf-8")


def slice_row(label: str, score: float) -> dict[str, Any]:
    return {"slice": f"label: {label}", "examples": 40, "metrics": {"accuracy": score}}


def previews(score: float) -> Sequence[Preview]:
    """One of each kind; the second one is right in a good run only."""
    digit = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 3
    scene = np.full((40, 60, 3), 90, np.uint8)
    tone = np.sin(np.arange(8000) / 5).astype(np.float32)
    boxes = [Box(5, 5, 30, 30, "cat", truth=True), Box(8, 6, 33, 31, "cat 0.91")]
    return (
        Preview(
            f"1 → {HOSTILE}", False, {"label": "1"}, [Picture(digit), Bars({HOSTILE: 0.7, "1": 0.3}, "probability")]
        ),
        Preview("2 → 2", score > 0.5, {"label": "2"}, [Picture(digit), Bars({"2": 0.9}, "probability")]),
        Preview("a cat", True, {"label": "2"}, [Picture(scene, boxes=boxes)]),
        Preview(
            "a tone",
            True,
            {},
            [Sound(tone, 8000, "sound"), Words("one two", "heard", True), Words("one too", "said", True)],
        ),
        Preview(
            "a forecast",
            None,
            {},
            [Curve({"measured": [1.0, 2.0, 3.0], "forecast": [1.5, 2.5, 2.9]}, "", "steps", "load")],
        ),
    )


def plots() -> list[dict[str, Any]]:
    lines = {
        "kind": "lines",
        "title": "ROC",
        "x_label": "false positive rate",
        "y_label": "true positive rate",
        "note": "",
    }
    bars = {
        "kind": "histogram",
        "title": "Confidence",
        "x_label": "confidence",
        "y_label": "share",
        "note": "Sure or not.",
    }
    return [
        lines | {"series": {f"{HOSTILE}, area 0.9": [[0.0, 0.0], [0.1, 0.8], [1.0, 1.0]]}},
        bars | {"series": {"right": [0, 2, 9], "wrong": [3, 1, 0]}, "edges": [0.0, 0.33, 0.67, 1.0]},
    ]


def thresholds() -> dict[str, Any]:
    """Of two classes, of evenly spread scores: from 0.5 on there are only right answers of the first."""
    steps = range(101)
    first = {"name": "1", "there": 100, "right": [100 - k for k in steps], "wrong": [max(50 - k, 0) for k in steps]}
    other = {"name": HOSTILE, "there": 50, "right": [max(50 - k, 0) for k in steps], "wrong": [0] * 101}
    sums = {kind: [a + b for a, b in zip(first[kind], other[kind], strict=True)] for kind in ("right", "wrong")}
    every = {"name": "all classes", "there": 150, **sums}
    below = "said to be not sure, with what it would be"
    return {"examples": 200, "below": below, "counted": "answers", "classes": [every, first, other], "left_out": 2}


def statistics() -> dict[str, Any]:
    numbers = {"kind": "number", "count": 800, "missing": 3, "mean": 2.5, "min": 0.0, "max": 9.0, "median": 2.0}
    texts = {
        "kind": "text",
        "count": 800,
        "missing": 0,
        "unique": 3,
        "length": 1.0,
        "top": [["1", 500], [HOSTILE, 300]],
    }
    wide = numbers | {"count": 200, "missing": 0, "median": 8.0, "max": 12.0, "histogram": [[4, 8, 90], [8, 12, 110]]}
    return {
        "width": {"train": numbers | {"histogram": [[0, 5, 700], [5, 9, 97]]}, "eval": wide},
        "label": {"train": texts, "eval": texts | {"count": 200, "top": [["1", 120], [HOSTILE, 80]]}},
    }


def pushed(workspace: Path, task: str, version: int) -> Path:
    """A version whose manifest is right and whose model is a file of zeros."""
    model = workspace / task / "serving" / str(version)
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(bytes(10))
    manifest.write(model, {"task": task, "hparams": {}})
    return model
