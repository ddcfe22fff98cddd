"""The report: what an evaluation found, as files that the page and the dashboard read.

Writes `report.json` (its schema is `components.report.page.ReportData`) and preview media. The page is made of them
where a person asks for it: at the end of `benison run`, when all that it says is known, or by `pipelines.verdict`.
"""

from __future__ import annotations

import datetime
import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact, artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import statistics
from components.evaluator import Results, class_names
from components.example_gen import read_counts, read_fingerprint, read_quarantine
from components.judgement import Judgement
from components.reference import ReferenceScores
from data.columns import raw_features
from trainer.preview import Preview, disk
from trainer.preview.plots import Plot
from trainer.task import Task
from trainer.transform import task_from

T = TypeVar("T")

PREVIEW_POOL = 256
"""Eval examples among which previews are chosen."""
POOL_FROM = 20_000
"""Eval examples of which that pool is taken."""
PREVIEWS = 12
"""Previews of each sort, wrong and right."""
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
        problems = list(islice(read_quarantine(examples), QUARANTINE_SHOWN))
        about = json.loads(exec_properties["about"])
        about["data"]["fingerprint"] = read_fingerprint(artifact_utils.get_single_instance(input_dict["examples"]))
        history = json.loads(Path(uri("model_run"), "history.json").read_text(encoding="utf-8"))
        columns = statistics.summary(Path(uri("statistics")))
        answers = Answers(task, examples / "Split-eval", model)
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
            "plots": answers.plots(),
            "examples": read_counts(examples),
            "statistics": columns,
            "classes": statistics.class_counts(columns, _label(task) or ""),
            "anomalies": [],  # the data gate has stopped every run that has any
            "quarantine": problems,
            "previews": answers.write_previews(directory, demonstrations),
            "hparams": json.loads(exec_properties["hparams"]),
            **about,
        }
        (directory / "report.json").write_text(json.dumps(report, indent=2, default=float), encoding="utf-8")


class Answers:
    """A model's answers to the eval split: to a pool of examples at once, to more of them where the task plots them."""

    def __init__(self, task: Task, split: Path, model: str) -> None:
        self._task, self._files = task, [str(path) for path in sorted(split.iterdir())]
        self._loaded = tf.saved_model.load(model)
        pool = self._pool_records()
        examples, outputs = self._answer(tf.constant(pool))
        self._pool = examples, _rows(outputs, len(examples))
        self._shown = [task.preview(*pair) for pair in zip(*self._pool, strict=True)]
        self._keys = [hashlib.sha256(record).hexdigest()[:16] for record in pool]

    def _records(self, most: int) -> Any:
        return tf.data.TFRecordDataset(self._files, compression_type="GZIP").take(most)

    def _pool_records(self) -> list[bytes]:
        """`PREVIEW_POOL` records, in which the values of the first raw column that metrics are sliced by take turns: of
        a split that lies in the order of its series or classes the first ones would all be of one."""
        columns = raw_features(self._task.columns)
        sliced = [name for name in self._task.metrics().slices if name in columns and columns[name].length == 1]
        if not sliced:
            return list(self._records(PREVIEW_POOL).as_numpy_iterator())
        dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[columns[sliced[0]].dtype]
        parsing = {sliced[0]: tf.io.FixedLenFeature([], dtype, default_value="" if dtype == tf.string else 0)}
        batches = self._records(POOL_FROM).batch(PREVIEW_POOL)
        parsed = batches.map(lambda batch: (tf.io.parse_example(batch, parsing)[sliced[0]], batch))
        pairs = (pair for values, records in parsed.as_numpy_iterator() for pair in zip(values, records, strict=True))
        return in_turn(pairs, PREVIEW_POOL)

    def _answer(self, batch: Any) -> tuple[list[dict[str, Any]], dict[str, np.ndarray[Any, Any]]]:
        """Serialised examples: raw, and every output of the model `[examples, ...]`."""
        outputs = self._loaded.signatures["serving_default"](batch)
        examples = [_example(self._task, record) for record in batch.numpy()]
        return examples, {name: tensor.numpy() for name, tensor in outputs.items()}

    def write_previews(self, directory: Path, demonstrations: Sequence[Preview] = ()) -> list[dict[str, Any]]:
        """`demonstrations`, what is seen of the pool at once, then the first wrong and the first right ones of it.

        Each record has, beside what `disk.write` gives it, `example`: the same in all runs that show that example.
        """
        chosen = [(f"demonstration {i}", shown) for i, shown in enumerate(demonstrations)]
        chosen += [(f"overview {i}", shown) for i, shown in enumerate(self._task.overview(*self._pool))]
        keyed = list(zip(self._keys, self._shown, strict=True))
        chosen += islice((pair for pair in keyed if pair[1].correct is False), PREVIEWS)
        chosen += islice((pair for pair in keyed if pair[1].correct is not False), PREVIEWS)
        records = disk.write([shown for _, shown in chosen], directory)
        return [record | {"example": key} for record, (key, _) in zip(records, chosen, strict=True)]

    def plots(self) -> list[Plot]:
        """What the task draws of its answers to the first examples of the split."""
        if type(self._task).plots is Task.plots:  # nothing: no need to answer
            return []
        media = {name for name, column in self._task.columns.items() if column.is_media} - {*self._task.targets}
        shown: list[dict[str, Any]] = []
        predictions: list[dict[str, Any]] = []
        for examples, outputs in map(self._answer, self._records(self._task.plotted_examples).batch(PREVIEW_POOL)):
            shown += [{name: value for name, value in e.items() if name not in media} for e in examples]
            predictions += _rows(outputs, len(examples))
        return list(self._task.plots(shown, predictions))


def in_turn(pairs: Iterable[tuple[Any, T]], most: int) -> list[T]:
    """The second ones of pairs, so ordered that different first ones take turns: first the first of each, then the
    second of each ... The pairs are gone through once, and no more than `most` of them are kept."""

    def turns() -> Iterator[tuple[int, int, T]]:
        seen: Counter[Any] = Counter()
        for place, (value, one) in enumerate(pairs):
            yield seen[value], place, one
            seen[value] += 1

    return [one for _, _, one in heapq.nsmallest(most, turns())]


def _rows(outputs: dict[str, np.ndarray[Any, Any]], count: int) -> list[dict[str, Any]]:
    return [{name: values[i] for name, values in outputs.items()} for i in range(count)]


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
