"""Evaluation: TFX's Evaluator, whose results are judged beside the references of the same run."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.components.evaluator import constants, executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import io_utils, path_utils, proto_utils

from components import compared, model_runs, sampling
from components.example_gen import read_counts
from components.judgement import Estimate, Found, judge
from components.reference import JUDGE, ReferenceScores, read_scores
from trainer.evaluation import Compared
from trainer.task import Evaluation, Gate, Metric

JUDGE_MARK = "<judge>"
"""Stands for the judge's folder in the configuration of metrics until the run knows it."""

CANDIDATE, BASELINE = "candidate", "baseline"
"""TFMA's names of the model and of the latest blessed one when it judges both."""


def eval_config(evaluation: Evaluation, raw: Set[str]) -> tfma.EvalConfig:
    """TFMA's configuration of a task's evaluation, without thresholds: `components.judgement` judges.

    `raw` names the features of the examples as they were read.
    """
    spec = tfma.ModelSpec(signature_name="evaluate")
    pairs = evaluation.all_compared
    compared.describe(pairs, spec)
    if evaluation.transforms_labels or set(evaluation.slices) - raw:
        spec.preprocessing_function_names.append("transform_labels")
    specs = [_metrics_spec(evaluation, pair, alone=len(pairs) == 1) for pair in pairs]
    specs.append(tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="ExampleCount")]))
    return tfma.EvalConfig(
        model_specs=[spec],
        metrics_specs=specs,
        slicing_specs=[tfma.SlicingSpec(), *(tfma.SlicingSpec(feature_keys=[name]) for name in evaluation.slices)],
        options=tfma.Options(include_default_metrics={"value": False}),
    )


def _metrics_spec(evaluation: Evaluation, pair: Compared, alone: bool) -> tfma.MetricsSpec:
    """The metrics that compare this pair."""
    metrics = [
        tfma.MetricConfig(class_name=metric.kind, module=metric.module, config=json.dumps(_config(metric)))
        for metric in evaluation.metrics
        if not metric.runs_model and evaluation.compared(metric) == pair
    ]
    return tfma.MetricsSpec(metrics=metrics, output_names=[] if alone else [str(pair)])


def _config(metric: Metric) -> dict[str, Any]:
    return {"name": metric.name, **metric.config} | ({"judge": JUDGE_MARK} if metric.judged else {})


SHARES = frozenset({"SparseCategoricalAccuracy", "CategoricalAccuracy", "BinaryAccuracy", "Accuracy"})
"""Metrics that are a share of the examples, each of which is right or wrong."""


class EvaluatorExecutor(executor.Executor):
    """Evaluates as TFX does, judges once, writes the judgement and blesses by it."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        reference = artifact_utils.get_single_uri(input_dict["reference"])
        evaluation = Path(artifact_utils.get_single_uri(output_dict["evaluation"]))
        config = proto_utils.json_to_proto(exec_properties["eval_config"], tfma.EvalConfig())
        metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
        for metric in metrics:
            metric.config = metric.config.replace(JUDGE_MARK, str(Path(reference, JUDGE)))
        evaluation.mkdir(parents=True, exist_ok=True)
        with sampling.written_to(str(evaluation), _count(input_dict)) as asked:
            changed = {"eval_config": proto_utils.proto_to_json(config), **asked}
            super().Do(input_dict, output_dict, exec_properties | changed)
        running = [Metric(**metric) for metric in json.loads(exec_properties["runs_model"])]
        model_runs.run(running, _models(input_dict), Path(reference, JUDGE), evaluation)
        shares = [json.loads(m.config)["name"] for m in metrics if m.class_name in SHARES]
        judgement = judge(
            [Gate(**gate) for gate in json.loads(exec_properties["gates"])],
            found_by(
                evaluation,
                read_scores(reference),
                shares,
                json.loads(exec_properties["may_lack"]),
                class_names(_models(input_dict)[CANDIDATE]),
            ),
            strict=bool(exec_properties["strict"]),
            health=_health(input_dict.get("model_run")),
        )
        judgement.write(evaluation)
        _bless(judgement.blessed, input_dict, output_dict)


def class_names(model: Path, vocabulary: str = "label") -> list[str]:
    """Of the classes that a SavedModel answers with, in index order; empty where it has none.

    `vocabulary` is what `preprocess` called it.
    """
    file = model / "assets" / vocabulary
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def found_by(
    evaluation: Path,
    reference: Mapping[str, Mapping[str, Any]],
    shares: Collection[str],
    may_lack: Collection[str],
    classes: Sequence[str],
) -> Found:
    """What TFMA left in `evaluation`, with sampling errors, beside the references' scores; arguments as in `Found`."""
    results = Results(evaluation, classes)
    estimates, episodes = sampling.read(evaluation), model_runs.read(evaluation)

    def with_groups(metrics: Mapping[str, float], model: str) -> dict[str, Estimate]:
        sampled = estimates.get(model, {})
        found = {
            name: Estimate(value, sampled[name].without if name in sampled else ()) for name, value in metrics.items()
        }
        return found | episodes.get(model or CANDIDATE, {})

    return Found(
        examples=int(results.metrics.get("example_count", 0)),
        candidate=with_groups(results.metrics, results.candidate),
        baseline=with_groups(results.baseline, BASELINE),
        constant=estimates.get(sampling.CONSTANT_ANSWER, {}),
        reference=reference,
        slices=results.slices(),
        shares=shares,
        may_lack=may_lack,
        episodes={name: max(len(found.without), 1) for name, found in episodes.get(CANDIDATE, {}).items()},
    )


def _count(input_dict: Any) -> int:
    """Of the examples to evaluate."""
    return read_counts(Path(artifact_utils.get_single_uri(input_dict["examples"])))["eval"]


def _models(input_dict: Any) -> dict[str, Path]:
    """The folders of the SavedModels that are evaluated, by TFMA's names."""
    inputs = {CANDIDATE: input_dict["model"], BASELINE: input_dict.get("baseline_model")}
    return {name: Path(path_utils.serving_model_path(found[0].uri)) for name, found in inputs.items() if found}


def _health(model_run: Sequence[types.Artifact] | None) -> dict[str, Any] | None:
    """What the training found of itself: `ok`, `finding`, `advice`; None where it left nothing."""
    file = Path(artifact_utils.get_single_uri(list(model_run)), "health.json") if model_run else None
    if file is None or not file.exists():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _bless(blessed: bool, input_dict: Any, output_dict: Any) -> None:
    """The blessing as TFX's own Evaluator leaves it: a file, and properties that name the models."""
    blessing = artifact_utils.get_single_instance(output_dict["blessing"])
    of_model = {"current_model": input_dict["model"], "baseline_model": input_dict.get("baseline_model")}
    for name, artifacts in of_model.items():
        if artifacts:
            blessing.set_string_custom_property(name, artifacts[0].uri)
            blessing.set_int_custom_property(f"{name}_id", artifacts[0].id)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    io_utils.write_string_file(str(Path(blessing.uri, name)), "")
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)


class Results:
    """TFMA's results of the model and of the latest blessed one, as numbers by name.

    `classes` are the names of the classes that metrics tell apart by number.
    """

    def __init__(self, evaluation: Path, classes: Sequence[str] = ()) -> None:
        names = [spec.name for spec in tfma.load_eval_result(str(evaluation), model_name=None).config.model_specs]
        self.candidate = CANDIDATE if CANDIDATE in names else ""
        self._classes = list(classes)
        self._result = tfma.load_eval_result(str(evaluation), model_name=self.candidate or None)
        self.metrics = _overall(self._result)
        self.baseline: dict[str, float] = {}
        if BASELINE in names:
            self.baseline = _overall(tfma.load_eval_result(str(evaluation), model_name=BASELINE))

    def slices(self) -> list[dict[str, Any]]:
        """Each slice's metrics, in TFMA's order, without the overall one; before them each class's, where a metric
        tells them apart."""
        rows = self._of_classes()
        for key, by_output in self._result.slicing_metrics:
            if key:
                metrics = _scalars(by_output)
                name = ", ".join(f"{column}: {_text(value)}" for column, value in key)
                rows.append({"slice": name, "examples": int(metrics.pop("example_count", 0)), "metrics": metrics})
        return rows

    def _of_classes(self) -> list[dict[str, Any]]:
        overall: Mapping[str, Any] = next((found for key, found in self._result.slicing_metrics if not key), {})
        found: dict[int, dict[str, float]] = {}
        for by_part in overall.values():
            for part in by_part:
                if number := re.fullmatch(r"classId:(\d+)", part):
                    found.setdefault(int(number[1]), {}).update(_scalars({"": by_part}, part))
        return [
            {
                "slice": f"class: {self._classes[number] if number < len(self._classes) else number}",
                "examples": int(metrics.pop("example_count", 0)),
                "metrics": metrics,
            }
            for number, metrics in sorted(found.items())
        ]

    def confusion(self) -> dict[str, Any] | None:
        """Counts [true][predicted] of the overall slice, if a confusion matrix was among the metrics."""
        for key, drawn in self._result.plots:
            if key == ():
                for by_subkey in (drawn or {}).values():
                    for named in by_subkey.values():
                        matrix = named.get("multiClassConfusionMatrixAtThresholds")
                        if matrix:
                            return {"labels": self._classes, "counts": _counts(matrix, len(self._classes))}
        return None


def _counts(matrix: dict[str, Any], size: int) -> list[list[int]]:
    counts = [[0] * size for _ in range(size)]
    for at_threshold in matrix["matrices"][:1]:
        for entry in at_threshold.get("entries", []):
            actual, predicted = int(entry.get("actualClassId", 0)), int(entry.get("predictedClassId", 0))
            if 0 <= actual < size and 0 <= predicted < size:
                counts[actual][predicted] = int(entry.get("numWeightedExamples", 0))
    return counts


def _overall(result: Any) -> dict[str, float]:
    return next((_scalars(by_output) for key, by_output in result.slicing_metrics if not key), {})


def _scalars(by_output: Any, part: str = "") -> dict[str, float]:
    """Numbers by name, of all outputs, without the differences from the baseline that TFMA adds as `NAME_diff`.

    `by_output` is TFMA's of a slice: output -> part of it, "" for the whole -> metric -> value.
    """
    found = {}
    for by_part in (by_output or {}).values():
        for name, value in by_part.get(part, {}).items():
            number = value.get("doubleValue", value.get("boundedValue", {}).get("value")) if value else None
            if isinstance(number, (int, float)):
                found[name] = float(number)
    return {name: n for name, n in found.items() if not (name.endswith("_diff") and name[: -len("_diff")] in found)}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class EvaluatorSpec(component_spec.ComponentSpec):
    """TFX's Evaluator with the reference and the training's health as further inputs, and the gates as a parameter.

    `runs_model`: the metrics that run the model themselves, as JSON; `may_lack`: the names of those that do.
    `strict`: 1 where a tie with a rival is a defeat, as on default data; else 0.
    `digest` is of the code, for the cache.
    """

    PARAMETERS = {
        "eval_config": component_spec.ExecutionParameter(type=tfma.EvalConfig),
        "example_splits": component_spec.ExecutionParameter(type=str, optional=True),
        "gates": component_spec.ExecutionParameter(type=str),
        "runs_model": component_spec.ExecutionParameter(type=str),
        "may_lack": component_spec.ExecutionParameter(type=str),
        "strict": component_spec.ExecutionParameter(type=int),
        "digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": component_spec.ChannelParameter(
            type=standard_artifacts.Model, optional=True, allow_empty=True
        ),
        "reference": component_spec.ChannelParameter(type=ReferenceScores),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
    }
    OUTPUTS = standard_component_specs.EvaluatorSpec.OUTPUTS


class Evaluator(base_beam_component.BaseBeamComponent):
    """Judges a model on the eval split against its gates, the reference and the latest blessed model."""

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(EvaluatorExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        reference: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: Evaluation,
        raw: Set[str],
        strict: bool,
        digest: str,
    ) -> None:
        spec = EvaluatorSpec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            reference=reference,
            model_run=model_run,
            strict=int(strict),
            eval_config=eval_config(evaluation, raw),
            example_splits=json.dumps(["eval"]),
            digest=digest,
            gates=json.dumps([dataclasses.asdict(gate) for gate in evaluation.gates]),
            runs_model=json.dumps([dataclasses.asdict(metric) for metric in evaluation.metrics if metric.runs_model]),
            may_lack=json.dumps([metric.name for metric in evaluation.metrics if metric.may_lack]),
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
