"""The report: what an evaluation found, as files that a person, the page and the dashboard read.

Writes `report.json` (its schema is `components.report.page.ReportData`), preview media and `index.html`.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import statistics
from components.evaluator import bound_with_reference
from components.example_gen import read_counts, read_fingerprint, read_quarantine
from components.reference import ReferenceScores, read_scores
from components.report import page as report_page
from components.report import plots
from data.columns import raw_features
from trainer.preview import disk
from trainer.task import Gate, Task
from trainer.transform import task_from

PREVIEW_POOL = 256
"""Eval examples among which previews are chosen."""
PREVIEWS = 12
"""Previews of each sort, wrong and right."""
PLOTTED = 20_000
"""Eval examples at most that curves and histograms are drawn from."""
QUARANTINE_SHOWN = 50
CANDIDATE, BASELINE = "candidate", "baseline"
"""TFMA's names of the model and of the latest blessed one when it judges both."""


class RunReport(artifact.Artifact):
    """A folder with `report.json`, previews and the self-contained `index.html`."""

    TYPE_NAME = "BenisonReport"


class ReportExecutor(base_executor.BaseExecutor):
    """Gathers what the other nodes left and shows examples through the model."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:

        def uri(name: str) -> str:
            return artifact_utils.get_single_uri(input_dict[name])

        task = task_from({"task": exec_properties["task"], "hparams": json.loads(exec_properties["hparams"])})
        gates = [Gate(**gate) for gate in json.loads(exec_properties["gates"])]
        blessing = artifact_utils.get_single_instance(input_dict["blessing"])
        directory = Path(artifact_utils.get_single_uri(output_dict["report"]))
        findings = Findings(uri("evaluation"), read_scores(uri("reference")), gates)
        blessed = bool(blessing.get_int_custom_property("blessed"))
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
            "blessed": blessed,
            "verdict": findings.verdict(blessed),
            "key_metric": gates[0].metric,
            "gates": findings.gate_rows(),
            "metrics": findings.metrics,
            "reference": findings.reference,
            "baseline": findings.baseline,
            "slices": findings.slices(),
            "confusion": findings.confusion(_classes(uri("model"))),
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


class Findings:
    """One evaluation as TFMA left it, beside the reference and the gates."""

    def __init__(self, evaluation: str, reference: dict[str, dict[str, float]], gates: list[Gate]) -> None:
        self.reference, self._gates, self._evaluation = reference, gates, evaluation
        names = [spec.name for spec in tfma.load_eval_result(evaluation, model_name=None).config.model_specs]
        self._result = tfma.load_eval_result(evaluation, model_name=CANDIDATE if CANDIDATE in names else None)
        self.metrics = _scalars(self._result.get_metrics_for_slice())
        self.baseline: dict[str, float] = {}
        if BASELINE in names:
            self.baseline = _scalars(tfma.load_eval_result(evaluation, model_name=BASELINE).get_metrics_for_slice())

    def gate_rows(self) -> list[dict[str, Any]]:
        """One row for each bound: metric, value, bound, where the bound comes from, whether it holds."""
        return [row for gate in self._gates for row in self._rows(gate)]

    def _rows(self, gate: Gate) -> Iterator[dict[str, Any]]:
        value = self.metrics.get(gate.metric, math.nan)
        bounds: list[tuple[float, str]] = []
        if gate.bound is not None:
            bounds.append((gate.bound, "floor"))
        bound, origin = bound_with_reference(dataclasses.replace(gate, bound=None), self.reference)
        if bound is not None:
            bounds.append((bound, f"reference: {origin}"))
        if gate.metric in self.baseline:
            margin = -gate.baseline_margin if gate.higher_is_better else gate.baseline_margin
            bounds.append((self.baseline[gate.metric] + margin, "latest blessed model"))
        for bound, origin in bounds:
            yield _row(gate, value, bound, origin, "")
        if gate.slice_bound is not None:
            for entry in self.slices():
                yield _row(gate, entry["metrics"].get(gate.metric, math.nan), gate.slice_bound, "floor", entry["slice"])

    def verdict(self, blessed: bool) -> str:
        """In plain words why the model was blessed or not, the key metric first."""
        rows = self.gate_rows()
        gate = self._gates[0]
        said = [f"{gate.metric} {self.metrics.get(gate.metric, math.nan):.4g}"]
        for row in rows if not blessed else (r for r in rows if r["metric"] == gate.metric and not r["slice"]):
            if not blessed and row["passed"]:
                continue
            sign = ("≥" if row["passed"] else "<") if row["higher_is_better"] else ("≤" if row["passed"] else ">")
            where = f" for {row['slice']}" if row["slice"] else ""
            shown = "" if row["metric"] == gate.metric and not where else f"{row['metric']} {row['value']:.4g}{where} "
            said.append(f"{shown}{sign} {row['bound']:.4g} ({row['bound_from']})")
        return f"{'blessed' if blessed else 'not blessed'}: " + ", ".join(said)

    def slices(self) -> list[dict[str, Any]]:
        """Each slice's metrics, in TFMA's order, without the overall one."""
        rows = []
        for key, _ in self._result.slicing_metrics:
            if key:
                metrics = _scalars(self._result.get_metrics_for_slice(key))
                name = ", ".join(f"{column}: {_text(value)}" for column, value in key)
                rows.append({"slice": name, "examples": int(metrics.pop("example_count", 0)), "metrics": metrics})
        return rows

    def confusion(self, classes: list[str]) -> dict[str, Any] | None:
        """Counts [true][predicted] of the overall slice, if a confusion matrix was among the metrics."""
        for key, drawn in self._result.plots:
            if key == ():
                for by_subkey in (drawn or {}).values():
                    for named in by_subkey.values():
                        matrix = named.get("multiClassConfusionMatrixAtThresholds")
                        if matrix:
                            return {"labels": classes, "counts": _counts(matrix, len(classes))}
        return None


def _row(gate: Gate, value: float, bound: float, origin: str, slice_name: str) -> dict[str, Any]:
    passed = value >= bound - 1e-6 if gate.higher_is_better else value <= bound + 1e-6
    return {
        "metric": gate.metric,
        "value": value,
        "bound": bound,
        "bound_from": origin,
        "higher_is_better": gate.higher_is_better,
        "passed": bool(passed),
        "slice": slice_name,
    }


def _counts(matrix: dict[str, Any], size: int) -> list[list[int]]:
    counts = [[0] * size for _ in range(size)]
    for at_threshold in matrix["matrices"][:1]:
        for entry in at_threshold.get("entries", []):
            actual, predicted = int(entry.get("actualClassId", 0)), int(entry.get("predictedClassId", 0))
            if 0 <= actual < size and 0 <= predicted < size:
                counts[actual][predicted] = int(entry.get("numWeightedExamples", 0))
    return counts


def _scalars(metrics: Any) -> dict[str, float]:
    """Numbers by name, without the differences from the baseline that TFMA adds as `NAME_diff`."""
    found = {}
    for name, value in (metrics or {}).items():
        number = value.get("doubleValue", value.get("boundedValue", {}).get("value")) if value else None
        if isinstance(number, (int, float)):
            found[name] = float(number)
    return {name: n for name, n in found.items() if not (name.endswith("_diff") and name[: -len("_diff")] in found)}


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

    PARAMETERS = {
        name: component_spec.ExecutionParameter(type=str) for name in ("task", "hparams", "gates", "about", "digest")
    }
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
