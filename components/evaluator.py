"""Evaluation: TFX's Evaluator with thresholds that follow from the reference of the same run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.components.evaluator import executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts, standard_component_specs
from tfx.utils import proto_utils

from components.reference import JUDGE, ReferenceScores, read_scores
from trainer.export import TARGET_SUFFIX
from trainer.task import Evaluation, Gate

JUDGE_MARK = "<judge>"
"""Stands for the judge's folder in the configuration of metrics until the run knows it."""

TOLERANCE = 1e-6
"""TFMA sums in float32: a model exactly as good as its bound must not fail by rounding."""


def eval_config(evaluation: Evaluation, raw: Set[str]) -> tfma.EvalConfig:
    """TFMA's configuration of a task's evaluation, without thresholds: those wait for the reference.

    `raw` names the features of the examples as they were read.
    """
    spec = tfma.ModelSpec(signature_name="evaluate")
    if isinstance(evaluation.prediction, str):
        spec.prediction_key = evaluation.prediction
    transformed = evaluation.label is not None and not evaluation.raw_label
    if evaluation.label:
        spec.label_key = evaluation.label + (TARGET_SUFFIX if transformed else "")
    if transformed or set(evaluation.slices) - raw:
        spec.preprocessing_function_names.append("transform_labels")
    metrics = [
        tfma.MetricConfig(
            class_name=metric.kind,
            module=metric.module,
            config=json.dumps(
                {"name": metric.name, **metric.config} | ({"judge": JUDGE_MARK} if metric.judged else {})
            ),
        )
        for metric in evaluation.metrics
    ]
    metrics.append(tfma.MetricConfig(class_name="ExampleCount"))
    return tfma.EvalConfig(
        model_specs=[spec],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        slicing_specs=[tfma.SlicingSpec(), *(tfma.SlicingSpec(feature_keys=[name]) for name in evaluation.slices)],
        options=tfma.Options(include_default_metrics={"value": False}),
    )


def add_thresholds(config: tfma.EvalConfig, gates: list[Gate], reference: dict[str, dict[str, float]]) -> None:
    """Gives the metrics of `config` the bounds that the gates come to beside the reference.

    Thresholds stand at each metric and name their slices: TFMA would look for those of a MetricsSpec among the metrics
    inside the model, and take those without a slice for every slice.
    """
    metrics = {json.loads(metric.config)["name"]: metric for metric in config.metrics_specs[0].metrics if metric.config}
    slices = [spec for spec in config.slicing_specs if spec.feature_keys]
    for gate in gates:
        bound, _ = bound_with_reference(gate, reference)
        thresholds = [
            tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=_threshold(gate, bound))
        ]
        if gate.slice_bound is not None:
            value = tfma.MetricThreshold(value_threshold=_value_threshold(gate, gate.slice_bound))
            thresholds.append(tfma.PerSliceMetricThreshold(slicing_specs=slices, threshold=value))
        metrics[gate.metric].per_slice_thresholds.extend(thresholds)


def bound_with_reference(gate: Gate, reference: dict[str, dict[str, float]]) -> tuple[float | None, str]:
    """The bound that a gate comes to, and where it comes from: "floor" or a reference method's name."""
    bound, origin = gate.bound, "floor"
    if gate.reference_margin is None:
        return bound, origin
    for method, scores in reference.items():
        if gate.metric not in scores:
            continue
        sign = 1 if gate.higher_is_better else -1
        candidate = scores[gate.metric] * gate.reference_factor + sign * gate.reference_margin
        if bound is None or sign * candidate > sign * bound:
            bound, origin = candidate, method
    return bound, origin


def _threshold(gate: Gate, bound: float | None) -> tfma.MetricThreshold:
    threshold = tfma.MetricThreshold()
    higher = tfma.MetricDirection.HIGHER_IS_BETTER
    if bound is not None:
        threshold.value_threshold.CopyFrom(_value_threshold(gate, bound))
    threshold.change_threshold.direction = higher if gate.higher_is_better else tfma.MetricDirection.LOWER_IS_BETTER
    allowed = gate.baseline_margin + TOLERANCE
    threshold.change_threshold.absolute.value = -allowed if gate.higher_is_better else allowed
    return threshold


def _value_threshold(gate: Gate, bound: float) -> tfma.GenericValueThreshold:
    if gate.higher_is_better:
        return tfma.GenericValueThreshold(lower_bound={"value": bound - TOLERANCE})
    return tfma.GenericValueThreshold(upper_bound={"value": bound + TOLERANCE})


class EvaluatorExecutor(executor.Executor):
    """Raises each gate to the run's reference, then evaluates, validates and blesses as TFX does."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        reference = artifact_utils.get_single_uri(input_dict["reference"])
        config = proto_utils.json_to_proto(exec_properties["eval_config"], tfma.EvalConfig())
        for metric in config.metrics_specs[0].metrics:
            metric.config = metric.config.replace(JUDGE_MARK, str(Path(reference, JUDGE)))
        gates = [Gate(**gate) for gate in json.loads(exec_properties["gates"])]
        add_thresholds(config, gates, read_scores(reference))
        super().Do(input_dict, output_dict, exec_properties | {"eval_config": proto_utils.proto_to_json(config)})


class EvaluatorSpec(component_spec.ComponentSpec):
    """TFX's Evaluator with the reference as a further input and the gates as a further parameter.

    `digest` is of the code, for the cache."""

    PARAMETERS = {
        "eval_config": component_spec.ExecutionParameter(type=tfma.EvalConfig),
        "example_splits": component_spec.ExecutionParameter(type=str, optional=True),
        "gates": component_spec.ExecutionParameter(type=str),
        "digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": component_spec.ChannelParameter(
            type=standard_artifacts.Model, optional=True, allow_empty=True
        ),
        "reference": component_spec.ChannelParameter(type=ReferenceScores),
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
        evaluation: Evaluation,
        raw: Set[str],
        digest: str,
    ) -> None:
        spec = EvaluatorSpec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            reference=reference,
            eval_config=eval_config(evaluation, raw),
            example_splits=json.dumps(["eval"]),
            digest=digest,
            gates=json.dumps([dataclasses.asdict(gate) for gate in evaluation.gates]),
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
