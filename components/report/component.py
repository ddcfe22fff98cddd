"""The report: what an evaluation found, as files that a person, the page and the dashboard read.

Writes `report.json` (its schema is `components.report.page.ReportData`), preview media and `index.html`.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import statistics
from components.evaluator import Results
from components.example_gen import read_counts, read_fingerprint, read_quarantine
from components.judgement import Judgement
from components.reference import ReferenceScores
from components.report import page as report_page
from components.report import plots
from data.columns import raw_features
from trainer.preview import disk
from trainer.task import Task
from trainer.transform import task_from

PREVIEW_POOL = 256
"""Eval examples among which previews are chosen."""
PREVIEWS = 12
"""Previews of each sort, wrong and right."""
PLOTTED = 20_000
"""Eval examples at most that curves and histograms are drawn from."""
QUARANTINE_SHOWN = 50


class RunReport(artifact.Artifact):
    """A folder with `report.json`, previews and the self-contained `index.html`."""

    TYPE_NAME = "BenisonReport"


class ReportExecutor(base_executor.BaseExecutor):
    """Gathers what the other nodes left and shows examples through the model."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:

        def uri(name: str) -> str:
            return artifact_utils.get_single_uri(input_dict[name])

        task = task_from({"task": exec_properties["task"], "hparams": json.loads(exec_properties["hparams"])})
        judgement, results = Judgement.read(Path(uri("evaluation"))), Results(Path(uri("evaluation")))
        directory = Path(artifact_utils.get_single_uri(output_dict["report"]))
        examples = Path(uri("examples"))
        problems = read_quarantine(examples)
        about = json.loads(exec_properties["about"])
        about["data"]["fingerprint"] = read_fingerprint(artifact_utils.get_single_instance(input_dict["examples"]))
        history = json.loads(Path(uri("model_run"), "history.json").read_text(encoding="utf-8"))
        columns = statistics.summary(Path(uri("statistics")))
        answers = Answers(task, examples / "Split-eval", path_utils.serving_model_path(uri("model")))
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
            "confusion": results.confusion(_classes(uri("model"))),
            "curves": history,
            "plots": list(answers.plots()),
            "examples": read_counts(examples),
            "statistics": columns,
            "classes": statistics.class_counts(columns, _label(task) or ""),
            "anomalies": [],  # the data gate has stopped every run that has any
            "quarantine": problems[:QUARANTINE_SHOWN],
            "previews": answers.write_previews(directory),
            "hparams": json.loads(exec_properties["hparams"]),
            **about,
        }
        (directory / "report.json").write_text(json.dumps(report, indent=2, default=float), encoding="utf-8")
        report_page.render(directory)


def _classes(model: str) -> list[str]:
    vocabulary = Path(path_utils.serving_model_path(model), "assets", "label")
    return vocabulary.read_text(encoding="utf-8").splitlines() if vocabulary.exists() else []


class Answers:
    """A model's answers to the eval split: to a pool of examples at once, to more of them where a plot needs it."""

    def __init__(self, task: Task, split: Path, model: str) -> None:
        self._task, self._files = task, [str(path) for path in sorted(split.iterdir())]
        self._loaded = tf.saved_model.load(model)
        [(examples, self._outputs)] = self._answered(PREVIEW_POOL)
        predictions = [{name: values[i] for name, values in self._outputs.items()} for i in range(len(examples))]
        self._pool = examples, predictions
        self._shown = [task.preview(*pair) for pair in zip(*self._pool, strict=True)]
        self._keys = [hashlib.sha256(record.numpy()).hexdigest()[:16] for record in self._records(PREVIEW_POOL)]

    def _records(self, most: int) -> Any:
        return tf.data.TFRecordDataset(self._files, compression_type="GZIP").take(most)

    def _answered(self, most: int) -> Iterator[tuple[list[dict[str, Any]], dict[str, np.ndarray[Any, Any]]]]:
        """The first `most` examples in batches: raw, and every output of the model `[examples, ...]`."""
        serve = self._loaded.signatures["serving_default"]
        for batch in self._records(most).batch(PREVIEW_POOL):
            examples = [_example(self._task, record) for record in batch.numpy()]
            yield examples, {name: tensor.numpy() for name, tensor in serve(batch).items()}

    def _truth_and(self, output: str, label: str) -> tuple[list[Any], np.ndarray[Any, Any]]:
        """A column and an output of as many examples as are plotted."""
        batches = [([e.get(label) for e in examples], outputs[output]) for examples, outputs in self._answered(PLOTTED)]
        return [value for truth, _ in batches for value in truth], np.concatenate([found for _, found in batches])

    def write_previews(self, directory: Path) -> list[dict[str, Any]]:
        """What is seen of the pool at once, then the first wrong and the first right ones of it.

        Each record has, beside what `disk.write` gives it, `example`: the same in all runs that show that example.
        """
        chosen = [(f"overview {i}", shown) for i, shown in enumerate(self._task.overview(*self._pool))]
        keyed = list(zip(self._keys, self._shown, strict=True))
        chosen += islice((pair for pair in keyed if pair[1].correct is False), PREVIEWS)
        chosen += islice((pair for pair in keyed if pair[1].correct is not False), PREVIEWS)
        records = disk.write([shown for _, shown in chosen], directory)
        return [record | {"example": key} for record, (key, _) in zip(records, chosen, strict=True)]

    def plots(self) -> Iterator[plots.Plot]:
        """What the kind of answer lets draw: of class probabilities, of a number, of a text, of a confidence."""
        asked, label = self._task.metrics(), _label(self._task)
        if label and {"labels", "probabilities"} <= self._outputs.keys():
            truth, probabilities = self._truth_and("probabilities", label)
            classes = [_text(name) for name in self._outputs["labels"][0]]
            index = {name: i for i, name in enumerate(classes)}
            yield from plots.of_classifier(
                np.array([index.get(_text(name), -1) for name in truth]), probabilities, classes
            )
        elif asked.raw_label and asked.label:
            for answer in asked.predictions:
                if self._is_number(answer, asked.label):
                    truth, predicted = self._truth_and(answer, asked.label)
                    yield plots.of_numbers(np.array(truth), predicted)
                elif self._is_text(answer, asked.label):
                    yield plots.of_likeness(np.array(list(self._likeness(answer, asked.label))))
        if "confidence" in self._outputs:
            judged = [i for i, shown in enumerate(self._shown) if shown.correct is not None]
            right = np.array([self._shown[i].correct for i in judged], bool)
            yield plots.of_confidence(self._outputs["confidence"][judged], right)

    def _is_number(self, answer: str, label: str) -> bool:
        return self._is_one(answer, "f") and isinstance(self._pool[0][0].get(label), (int, float))

    def _is_text(self, answer: str, label: str) -> bool:
        return self._is_one(answer, "O") and isinstance(self._pool[0][0].get(label), bytes)

    def _is_one(self, answer: str, kind: str) -> bool:
        """Whether an output has one value for each example, of that kind of dtype."""
        values = self._outputs.get(answer)
        return values is not None and values.ndim == 1 and values.dtype.kind == kind

    def _likeness(self, answer: str, label: str) -> Iterator[float]:
        """chrF of each text of the pool."""
        from trainer.metrics.text import chrf, chrf_counts

        for example, predicted in zip(self._pool[0], self._outputs[answer], strict=True):
            yield chrf(chrf_counts(_text(predicted), _text(example.get(label, b""))))


def _label(task: Task) -> str | None:
    """The target that is a class name, if there is one."""
    return next((name for name in task.targets if task.columns[name].is_class), None)


def _example(task: Task, record: bytes) -> dict[str, Any]:
    parsed = tf.train.Example.FromString(record).features.feature
    values: dict[str, Any] = {}
    for name, feature in raw_features(task.columns).items():
        kind = parsed[name].WhichOneof("kind")
        found = list(getattr(parsed[name], kind).value) if kind else []
        if feature.length != 1:
            values[name] = found
        elif found:
            values[name] = found[0]
    return values


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


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
