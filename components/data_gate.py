"""The gate between validation and training: it stops the run where data must not be trained on, in words.

It judges by the code that `benison data check` judges by, and adds TFDV's anomalies: TFX's ExampleValidator reports and
stops nothing.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact
from tfx.types.standard_artifacts import ExampleAnomalies, Examples

from components.example_gen import read_problems, read_split_counts
from data.columns import Column
from data.folders.verdict import Bounds, Finding, judge, refusal
from trainer.task import Task, load


class DataVerdict(artifact.Artifact):
    """What the gate found: `verdict.json`. Its being there is what lets Transform start."""

    TYPE_NAME = "BenisonDataVerdict"


@component
def DataGate(
    examples: InputArtifact[Examples],
    anomalies: InputArtifact[ExampleAnomalies],
    verdict: OutputArtifact[DataVerdict],
    task: Parameter[str],
    max_quarantined: Parameter[float],
    max_skew: Parameter[float],
    digest: Parameter[str],
) -> None:
    """Raises DataRefused where `data.folders.verdict` would not train on the data, or for any anomaly that TFDV finds.

    `digest` is of this code, for the cache.
    """
    del digest
    findings = [
        *judged(Path(examples.uri), load(task), Bounds(max_quarantined, max_skew)),
        *(Finding(f"{split} split: {text}", _MEND) for split, text in _anomalies(Path(anomalies.uri))),
    ]
    if findings:
        raise refusal(findings)
    Path(verdict.uri, "verdict.json").write_text(json.dumps({"findings": []}), encoding="utf-8")


_MEND = "mend the data, or widen the task's columns; `benison data check TASK DIR` reads every record"


def judged(examples: Path, task: type[Task], bounds: Bounds) -> list[Finding]:
    """What `benison data check` says of the same records, here of an examples artifact."""
    counts, problems = read_split_counts(examples), read_problems(examples)
    # That both splits hold records, and no path leads out, the ingestion has seen to: how they were split is nothing.
    return judge(counts, task.columns, task.targets, bounds, problems, task.split_by, unsplit=False)


def skew_bounds(examples: Path, columns: Mapping[str, Column], max_skew: float) -> dict[str, float]:
    """How far the gate lets train and eval lie apart: raw feature -> `max_skew`, of those that hold classes."""
    judged = read_split_counts(examples)["train"].classes
    features = [feature for name in judged for feature in columns[name].features(name).items()]
    return {name: max_skew for name, kind in features if kind.categories}


def anomaly_texts(anomalies: anomalies_pb2.Anomalies) -> Iterator[str]:
    """TFDV's anomalies as sentences that begin with the column."""
    if anomalies.HasField("dataset_anomaly_info"):
        yield anomalies.dataset_anomaly_info.description
    for column, info in sorted(anomalies.anomaly_info.items()):
        for reason in info.reason:
            if reason.type == _Reason.ENUM_TYPE_UNEXPECTED_STRING_VALUES:
                continue  # judged by exact counts, where TFDV goes by the most frequent values
            yield f"column {column}: {_PLAIN.get(reason.type, reason.short_description)}. {reason.description}"


_Reason = anomalies_pb2.AnomalyInfo
_PLAIN = {
    _Reason.SCHEMA_MISSING_COLUMN: "the column is missing",
    _Reason.FEATURE_TYPE_LOW_FRACTION_PRESENT: "the column is missing in some records",
    _Reason.FEATURE_TYPE_NOT_PRESENT: "the column is missing",
    _Reason.INT_TYPE_BIG_INT: "values above the column's bound",
    _Reason.INT_TYPE_SMALL_INT: "values below the column's bound",
    _Reason.FLOAT_TYPE_BIG_FLOAT: "values above the column's bound",
    _Reason.FLOAT_TYPE_SMALL_FLOAT: "values below the column's bound",
}


def _anomalies(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.glob("Split-*/SchemaDiff.pb")):
        anomalies = anomalies_pb2.Anomalies.FromString(file.read_bytes())
        for text in anomaly_texts(anomalies):
            yield file.parent.name.removeprefix("Split-"), text
