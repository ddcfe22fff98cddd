"""The gate between validation and training: anomalies, skew and quarantined records, in words; it stops the run.

TFX's ExampleValidator reports and stops nothing, and compares each split with the schema but not with the other.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics, Schema

from components.example_gen import describe, read_counts, read_quarantine
from data.errors import DataRefused

SHOWN = 5


class DataVerdict(artifact.Artifact):
    """What the gate found: `verdict.json`. Its being there is what lets Transform start."""

    TYPE_NAME = "BenisonDataVerdict"


@component
def DataGate(
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    anomalies: InputArtifact[ExampleAnomalies],
    verdict: OutputArtifact[DataVerdict],
    max_quarantined: Parameter[float],
    digest: Parameter[str],
) -> None:
    """Raises DataRefused above `max_quarantined` (a share of all records) or for any anomaly or skew.

    `digest` is of this code, for the cache.
    """
    del digest
    findings = [
        *quarantine_findings(Path(examples.uri), max_quarantined),
        *(f"{split} split: {text}" for split, text in _anomalies(Path(anomalies.uri))),
        *_skew(Path(statistics.uri), Path(schema.uri)),
    ]
    if findings:
        raise DataRefused(
            "the data is not fit to train on:\n" + "\n".join(f"  - {text}" for text in findings),
            "mend the data, or widen the task's columns; `benison data check` shows every record",
        )
    Path(verdict.uri, "verdict.json").write_text(json.dumps({"findings": findings}), encoding="utf-8")


def quarantine_findings(examples: Path, max_quarantined: float) -> Iterator[str]:
    """In words, that more than the share `max_quarantined` of an examples artifact's records is bad, if so."""
    counts = read_counts(examples)
    bad, total = counts["quarantined"], sum(counts.values())
    if bad > max_quarantined * total:
        problems = read_quarantine(examples)
        shown = "".join(f"\n      {describe(problem)}" for problem in problems[:SHOWN])
        more = f"\n      and {bad - SHOWN} more" if bad > SHOWN else ""
        yield (
            f"{bad} of {total} records are bad ({bad / total:.1%}; at most {max_quarantined:.0%} may be, "
            f"--set max_quarantined=SHARE):{shown}{more}"
        )


def anomaly_texts(anomalies: anomalies_pb2.Anomalies) -> Iterator[str]:
    """TFDV's anomalies as sentences that begin with the column."""
    if anomalies.HasField("dataset_anomaly_info"):
        yield anomalies.dataset_anomaly_info.description
    for column, info in sorted(anomalies.anomaly_info.items()):
        for reason in info.reason:
            yield f"column {column}: {_PLAIN.get(reason.type, reason.short_description)}. {reason.description}"


_Reason = anomalies_pb2.AnomalyInfo
_PLAIN = {
    _Reason.ENUM_TYPE_UNEXPECTED_STRING_VALUES: "classes that the train split does not have",
    _Reason.SCHEMA_MISSING_COLUMN: "the column is missing",
    _Reason.FEATURE_TYPE_LOW_FRACTION_PRESENT: "the column is missing in some records",
    _Reason.FEATURE_TYPE_NOT_PRESENT: "the column is missing",
    _Reason.INT_TYPE_BIG_INT: "values above the column's bound",
    _Reason.INT_TYPE_SMALL_INT: "values below the column's bound",
    _Reason.FLOAT_TYPE_BIG_FLOAT: "values above the column's bound",
    _Reason.FLOAT_TYPE_SMALL_FLOAT: "values below the column's bound",
    _Reason.COMPARATOR_L_INFTY_HIGH: "train and eval differ too much (skew)",
}


def _anomalies(root: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(root.glob("Split-*/SchemaDiff.pb")):
        anomalies = anomalies_pb2.Anomalies.FromString(file.read_bytes())
        for text in anomaly_texts(anomalies):
            yield file.parent.name.removeprefix("Split-"), text


def _skew(statistics: Path, schema: Path) -> Iterator[str]:
    train, evaluated = (
        tfdv.load_stats_binary(str(statistics / f"Split-{split}" / "FeatureStats.pb")) for split in ("train", "eval")
    )
    comparators = tfdv.load_schema_text(str(schema / "schema.pbtxt"))
    found = tfdv.validate_statistics(train, comparators, serving_statistics=evaluated)
    for column, info in sorted(found.anomaly_info.items()):
        for reason in info.reason:
            if reason.type == _Reason.COMPARATOR_L_INFTY_HIGH:
                yield f"column {column}: {_PLAIN[reason.type]}. {reason.description}"
