"""The one pipeline, for all tasks: which nodes there are and what each depends on."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from ml_metadata.proto import metadata_store_pb2
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import executor_spec
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2
from tfx.types import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.data_gate import DataGate
from components.evaluator import Evaluator
from components.example_gen import FolderExampleGen
from components.pusher import Pusher
from components.reference import Reference
from components.report.component import Report
from components.schema import SchemaGen, schema_of
from components.statistics_gen import StatisticsGen
from components.training import RUN_FN, TrainingExecutor
from components.transform import Transform
from components.workers.cluster_settings import ClusterSettings, trains_in_workers
from data import source_digest
from data.columns import raw_features
from pipelines.assets import KEY, LocatedAssets, described
from pipelines.beam import BeamSettings, beam_args
from pipelines.identity import code_digest, library_versions
from pipelines.node_list import pipeline_name
from pipelines.records.workspace import TaskSpace
from pipelines.settings import RunSettings, apply_overrides
from trainer.task import Evaluation, Gate, HParams, Task, load

CARD = ("columns", "targets", "sequences", "monitor")
"""What of a task's card training and the saved model depend on."""

REFERENCE = ("reference", "judge", "batch", "reference_examples", "predict_batch_size")
"""What of a task the reference and the judge depend on."""

REPORT = ("demonstrations", "preview", "overview", "assess", "answered_examples", "plots", "plotted_examples")
"""What of a task the report depends on."""


@dataclasses.dataclass(frozen=True)
class PipelineSettings:
    """All that decides a pipeline. Paths are absolute."""

    task: str
    hparams: HParams
    data: Path | None
    """The data folder; None if it is known only where the first node runs."""
    assets: LocatedAssets
    """Where the task's assets lie; empty if that is known only where nodes run."""
    default_data: bool
    """Whether the task's absolute gates, which are floors for its default data, hold."""
    gate: float | None
    """A person's own bound on the key metric."""
    max_quarantined: float
    max_skew: float
    split_by: str
    """What an unsplit folder is split by in place of the task's column; empty for that."""
    limit: int | None
    steps: int | None
    workers: int
    beam: BeamSettings
    cluster: ClusterSettings | None
    """Of the cluster that the nodes run on, if they do."""
    beam_args: Sequence[str]
    pipeline_root: str
    metadata: metadata_store_pb2.ConnectionConfig
    serving: str
    training_root: str
    worker_log_dir: str
    about: Mapping[str, Any]
    """What the report and the manifest say of the run beside its results."""
    fresh: bool

    @classmethod
    def of(
        cls,
        settings: RunSettings,
        space: TaskSpace,
        data: Path | None,
        assets: LocatedAssets,
        connection: metadata_store_pb2.ConnectionConfig,
        on_cluster: bool = False,
    ) -> PipelineSettings:
        """Of a run whose workspace lies at `space`, be it on this machine or in the pods of a cluster.

        Raises:
          WrongUse: an override names something that there is not.
        """
        task_class = load(settings.task)
        hparams, options = apply_overrides(task_class.HParams, settings.overrides)
        about = {
            "data": {"name": settings.data or task_class.data},
            "assets": described(task_class, hparams),
            "code_digest": code_digest(),
            "versions": library_versions(),
            "max_skew": options.max_skew,
        }
        return cls(
            task=settings.task,
            hparams=hparams,
            data=data,
            assets=assets,
            default_data=settings.data in (None, task_class.data) and settings.limit is None,
            gate=options.gate,
            max_quarantined=options.max_quarantined,
            max_skew=options.max_skew,
            split_by=options.split_by,
            limit=settings.limit,
            steps=settings.steps,
            workers=settings.workers,
            beam=options.beam,
            cluster=options.cluster if on_cluster else None,
            beam_args=beam_args(options.beam, options.cluster.image),
            pipeline_root=str(space.pipeline_root),
            metadata=connection,
            serving=str(space.serving),
            training_root=str(space.training_root),
            worker_log_dir=str(space.worker_logs),
            about=about,
            fresh=settings.fresh,
        )


def effective_evaluation(evaluation: Evaluation, default_data: bool, gate: float | None) -> Evaluation:
    """The evaluation with the bounds that hold on this data: the task's own on default data, else a person's."""
    gates = list(evaluation.gates)
    if not default_data:
        gates = [_on_other_data(g) for g in gates]
    if gate is not None:
        gates[0] = dataclasses.replace(gates[0], bound=gate)
    return dataclasses.replace(evaluation, gates=tuple(gates))


def _on_other_data(gate: Gate) -> Gate:
    margin = gate.reference_margin
    return dataclasses.replace(
        gate, bound=None, slice_bound=None, reference_margin=None if margin is None else min(margin, 0.0)
    )


def build(task_class: type[Task], settings: PipelineSettings) -> Pipeline:
    """The TFX pipeline of a task. Each node's parameters hold a digest of the source that the node depends on, so that
    TFX's cache serves a result exactly as long as nothing that made it has changed."""
    code = _Code(task_class)
    task = task_class(settings.hparams)
    evaluation = effective_evaluation(task.metrics(), settings.default_data, settings.gate)
    names = {column: list(found) for column, found in task.column_names().items()}
    reading = code.digest("components.example_gen:FolderExampleGenExecutor", "columns", "split_by", "refuse")
    hparams = dataclasses.asdict(settings.hparams)
    assets = {KEY: dict(settings.assets)}
    example_gen = FolderExampleGen(
        settings.data,
        settings={
            "task": settings.task,
            "limit": settings.limit,
            "shards": settings.beam.shards,
            "split_by": settings.split_by,
            "names": names,
            "digest": reading,
        },
    )
    examples = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(
        examples=examples, stats_options=tfdv.StatsOptions(schema=schema_of(task_class.columns), num_top_values=100)
    )
    schema_gen = SchemaGen(
        examples=examples,
        task=settings.task,
        digest=code.digest("components.schema:SchemaGen", "columns"),
    )
    schema_gen.add_upstream_node(statistics_gen)  # for one order of nodes, which people and kills go by
    validator = ExampleValidator(statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"])
    data_gate = DataGate(
        examples=examples,
        anomalies=validator.outputs["anomalies"],
        task=settings.task,
        max_quarantined=settings.max_quarantined,
        max_skew=settings.max_skew,
        digest=code.digest("components.data_gate:DataGate", "columns", "targets"),
    )
    transform = Transform(
        examples=examples,
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="trainer.transform.preprocessing_fn",
        custom_config={
            "task": settings.task,
            "hparams": code.hparams(settings, "preprocess"),
            "digest": code.digest("trainer.transform:preprocessing_fn", "preprocess"),
        },
        disable_statistics=True,
        disable_analyzer_cache=True,  # of use where a later span is added to those analysed already
    )
    transform.add_upstream_node(data_gate)
    reference = Reference(
        transformed_examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        config=json.dumps({"task": settings.task, "hparams": code.hparams(settings, *REFERENCE), **assets}),
        digest=code.digest("components.reference:Reference", *REFERENCE),
    )
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        run_fn=RUN_FN,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "task": settings.task,
            "hparams": hparams,
            **assets,
            "digest": code.digest("trainer.worker:train", "build_model", "batch", "predict", *CARD),
            "exported": [
                *map(str, evaluation.all_compared),
                *evaluation.slices,
                *(["targets seen"] if evaluation.targets_seen else []),
            ],
            "steps": settings.steps,
            "workers": settings.workers,
            "training_root": settings.training_root,
            "worker_log_dir": settings.worker_log_dir,
            "cluster": _workers_of(settings),
        },
        custom_executor_spec=executor_spec.ExecutorClassSpec(TrainingExecutor),
    )
    baseline = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("LatestBlessed")
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        reference=reference.outputs["reference"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluation,
        strict=settings.default_data,
        raw=raw_features(task_class.columns).keys(),
        digest=code.metrics_digest(evaluation),
    )
    report = Report(
        examples=examples,
        statistics=statistics_gen.outputs["statistics"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        reference=reference.outputs["reference"],
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        task=settings.task,
        hparams=json.dumps(hparams),
        about=json.dumps(dict(settings.about), sort_keys=True),
        digest=code.digest("components.report.component:ReportExecutor", *REPORT),
    )
    pusher = Pusher(
        examples=examples,
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        serving=settings.serving,
        about={"task": settings.task, "hparams": hparams},
    )
    pusher.add_upstream_node(report)
    return Pipeline(
        pipeline_name=pipeline_name(settings.task),
        pipeline_root=settings.pipeline_root,
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            validator,
            data_gate,
            transform,
            reference,
            trainer,
            baseline,
            evaluator,
            report,
            pusher,
        ],
        enable_cache=not settings.fresh,
        metadata_connection_config=settings.metadata,
        beam_pipeline_args=list(settings.beam_args),
    )


def _workers_of(settings: PipelineSettings) -> dict[str, Any] | None:
    """What the training workers on a cluster are made of; None if training runs in the Trainer node itself.

    Settings of the other pods are left out: a change of theirs must not train anew.
    """
    if settings.cluster is None or not trains_in_workers(settings.cluster, settings.workers):
        return None
    chosen = dataclasses.asdict(settings.cluster)
    others = ("retries", "cpu", "memory", *(name for name in chosen if name.startswith("metadata_")))
    return {name: value for name, value in chosen.items() if name not in others}


class _Code:
    """Digests of the source that each node depends on, and the hyper-parameters that each part of a task reads."""

    def __init__(self, task_class: type[Task]) -> None:
        self._module, self._name = task_class.__module__, task_class.__name__
        self._sources = source_digest.Sources()
        self._libraries = "-".join(importlib.metadata.version(name) for name in ("tensorflow", "tfx"))

    def digest(self, machinery: str, *methods: str) -> str:
        """Of these methods of the task, and of the definition (`module:name`) that runs them."""
        module, _, name = machinery.partition(":")
        parts = [self._libraries, self._sources.digest(module, [name])]
        if methods:
            parts.append(self._sources.digest(self._module, [f"{self._name}.{method}" for method in methods]))
        return hashlib.sha256("-".join(parts).encode()).hexdigest()[:16]

    def metrics_digest(self, evaluation: Evaluation) -> str:
        """Of the Evaluator and of our own metrics in it."""
        parts = [self.digest("components.evaluator:EvaluatorExecutor")]
        parts += [self._sources.digest(metric.module, [metric.kind]) for metric in evaluation.metrics if metric.module]
        return hashlib.sha256("-".join(parts).encode()).hexdigest()[:16]

    def hparams(self, settings: PipelineSettings, *methods: str) -> dict[str, Any]:
        """The hyper-parameters that these methods read: a change of another must not rerun their node."""
        values = dataclasses.asdict(settings.hparams)
        used = self._sources.hparams_used(self._module, [f"{self._name}.{method}" for method in methods])
        return values if used is None else {name: values[name] for name in sorted(used)}
