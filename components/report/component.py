"""The report: what an evaluation found, as files that the page and the dashboard read.

Writes `report.json` (its schema is `components.report.page.ReportData`) and preview media. The page is made of them
where a person asks for it: at the end of `benison run`, when all that it says is known, or by `pipelines.verdict`.
"""

from __future__ import annotations

import datetime
import json
from itertools import islice
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import statistics
from components.data_gate import skew_bounds
from components.evaluator import Results, class_names
from components.example_gen import read_counts, read_fingerprint, read_origin, read_quarantine
from components.judgement import Judgement
from components.reference import ReferenceScores
from components.report import quarantined
from components.report.answers import Answers
from components.report.thresholds import ThresholdCounts
from components.report.train_examples import TrainExamples, class_target, takes_long
from trainer import curves
from trainer.decisions import Decides
from trainer.preview import disk
from trainer.task import Task
from trainer.transform import task_from

QUARANTINE_SHOWN = 50


class RunReport(artifact.Artifact):
    """A folder with `report.json` and previews."""

    TYPE_NAME = "BenisonReport"


class ReportExecutor(base_executor.BaseExecutor):
    """Gathers what the other nodes left and shows examples through the model."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:

        def uri(name: str) -> str:
            return artifact_utils.get_single_uri(input_dict[name])

        task = task_from({"task": exec_properties["task"], "hparams": json.loads(exec_properties["hparams"])})
        model = path_utils.serving_model_path(uri("model"))
        judgement = Judgement.read(Path(uri("evaluation")))
        results = Results(Path(uri("evaluation")), class_names(Path(model)))
        directory = Path(artifact_utils.get_single_uri(output_dict["report"]))
        examples = Path(uri("examples"))
        origin = read_origin(examples)
        problems = list(islice(read_quarantine(examples), QUARANTINE_SHOWN))
        about = json.loads(exec_properties["about"])
        about["data"]["fingerprint"] = read_fingerprint(artifact_utils.get_single_instance(input_dict["examples"]))
        history, by_step = (_json(Path(uri("model_run"), name)) for name in ("history.json", curves.FILE))
        columns = statistics.summary(Path(uri("statistics")))
        loaded = tf.saved_model.load(model)
        answers = Answers(task, examples / "Split-eval", loaded)
        counts = _thresholds(task, Path(model))
        table, plots = answers.write_table(directory, counts)
        demonstrations = task.demonstrations(Path(model))
        report = {
            "task": exec_properties["task"],
            "title": task.title,
            "questions": list(task.questions),
            "run_id": self._context.pipeline_run_id if self._context else "",
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "state": "finished",
            "blessed": judgement.blessed,
            "outcome": judgement.outcome,
            "verdict": judgement.verdict,
            "key_metric": judgement.key_metric,
            "gates": judgement.gates,
            "metrics": judgement.metrics,
            "intervals": judgement.intervals,
            "reference": judgement.reference,
            "left_out": judgement.left_out,
            "baseline": judgement.baseline,
            "slices": results.slices(),
            "confusion": results.confusion(),
            "curves": history,
            "step_curves": by_step,
            "plots": plots,
            "answers": table,
            "thresholds": counts.to_json() if counts else None,
            "examples": read_counts(examples),
            "statistics": columns,
            "bounds": skew_bounds(examples, task.columns, about.pop("max_skew")),
            "classes": statistics.class_counts(columns, class_target(task) or ""),
            "anomalies": [],  # the data gate has stopped every run that has any
            "quarantine": problems,
            "quarantined_previews": disk.write(quarantined.previews(origin.folder, problems), directory, "quarantined"),
            "copies": origin.copies,
            "previews": answers.write_previews(directory, demonstrations),
            "train_previews": []
            if takes_long(task)
            else TrainExamples(task, examples / "Split-train", loaded).write_by_slice(directory),
            "hparams": json.loads(exec_properties["hparams"]),
            **about,
        }
        (directory / "report.json").write_text(
            json.dumps(report, separators=(",", ":"), default=float), encoding="utf-8"
        )


def _thresholds(task: Task, model: Path) -> ThresholdCounts | None:
    """What counts the answers; None of a task whose answers have no score."""
    if not isinstance(task, Decides):
        return None
    return ThresholdCounts(task, class_names(model, task.known_by) if task.known_by else ())


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


class ReportSpec(component_spec.ComponentSpec):
    """What a report is made of."""

    PARAMETERS = {name: component_spec.ExecutionParameter(type=str) for name in ("task", "hparams", "about", "digest")}
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "reference": component_spec.ChannelParameter(type=ReferenceScores),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=RunReport)}


class Report(base_component.BaseComponent):
    """Writes the run's report. `digest` is of the code that previews depend on; `about` is merged into the report."""

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ReportExecutor)

    def __init__(self, **inputs: types.BaseChannel | str) -> None:
        super().__init__(spec=ReportSpec(report=types.Channel(type=RunReport), **inputs))
