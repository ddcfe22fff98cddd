"""The curated TFDV schema: from a task's columns, not inferred; only the classes come from the train split."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import ExampleStatistics, Schema

from data.columns import Column, Feature, raw_features
from trainer.task import load

MAX_CLASSES = 100_000
SKEW_THRESHOLD = 0.25
"""L-infinity distance between the class shares of train and eval above which a split is called skewed. Small eval
splits differ by chance; this is set to catch a split by class or by order of collection."""

_TYPES = {"bytes": schema_pb2.BYTES, "int64": schema_pb2.INT, "float32": schema_pb2.FLOAT}


def schema_of(columns: Mapping[str, Column]) -> schema_pb2.Schema:
    """The schema that holds for any data of these columns."""
    schema = schema_pb2.Schema()
    for name, feature in raw_features(columns).items():
        schema.feature.append(_schema_feature(name, feature))
    return schema


def _schema_feature(name: str, feature: Feature) -> schema_pb2.Feature:
    entry = schema_pb2.Feature(name=name, type=_TYPES[feature.dtype])
    entry.presence.min_fraction = 0.0 if feature.optional or feature.length is None else 1.0
    if feature.length is None:
        entry.value_count.min = 0
    elif feature.optional:
        entry.value_count.max = feature.length
    elif feature.length == 1:
        entry.shape.SetInParent()
    else:
        entry.shape.dim.add(size=feature.length)
    if not feature.counted:
        # TFDV has one type for strings and for opaque bytes; this domain is how it is told not to count values.
        entry.image_domain.SetInParent()
    elif feature.dtype == "int64":
        if feature.minimum is not None:
            entry.int_domain.min = int(feature.minimum)
        if feature.maximum is not None:
            entry.int_domain.max = int(feature.maximum)
    elif feature.dtype == "float32":
        if feature.minimum is not None:
            entry.float_domain.min = feature.minimum
        if feature.maximum is not None:
            entry.float_domain.max = feature.maximum
    return entry


@component
def SchemaGen(
    statistics: InputArtifact[ExampleStatistics],
    schema: OutputArtifact[Schema],
    task: Parameter[str],
    digest: Parameter[str],
) -> None:
    """Writes the task's schema, each open set of categories closed over the train split's.

    `digest` is of the code that this depends on: TFX's cache sees it, nothing else does.
    """
    del digest
    columns = load(task).columns
    curated = schema_of(columns)
    features = raw_features(columns)
    train = tfdv.load_stats_binary(str(Path(statistics.uri) / "Split-train" / "FeatureStats.pb"))
    counted = {stats.path.step[0]: stats.string_stats for stats in train.datasets[0].features}
    for entry in curated.feature:
        if features[entry.name].categories and entry.name in counted:
            buckets = counted[entry.name].rank_histogram.buckets
            entry.string_domain.name = entry.name
            entry.string_domain.value.extend(sorted(bucket.label for bucket in buckets))
            entry.skew_comparator.infinity_norm.threshold = SKEW_THRESHOLD
    tfdv.write_schema_text(curated, str(Path(schema.uri) / "schema.pbtxt"))
