"""The curated TFDV schema: from a task's columns, not inferred; only the classes come from the train split."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Schema

from components.example_gen import read_split_counts
from data.columns import Column, Feature, raw_features
from data.folders.verdict import refusal, too_many_classes
from trainer.task import load

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


def closed_schema(columns: Mapping[str, Column], classes: Mapping[str, Mapping[str, int]]) -> schema_pb2.Schema:
    """The columns' schema, each open set of categories closed over `classes` (column -> class -> records) of train.

    All of them, up to `MAX_CLASSES`: TFDV's statistics list only the thousand most frequent.

    Raises:
      DataRefused: a column has more classes.
    """
    schema = schema_of(columns)
    entries = {entry.name: entry for entry in schema.feature}
    for name, column in columns.items():
        names = sorted(classes.get(name, ()))
        if too_many := too_many_classes(name, len(names)):
            raise refusal([too_many])
        for feature, kind in column.features(name).items():
            if kind.categories and names:
                entries[feature].string_domain.name = feature
                entries[feature].string_domain.value.extend(names)
    return schema


@component
def SchemaGen(
    examples: InputArtifact[Examples],
    schema: OutputArtifact[Schema],
    task: Parameter[str],
    digest: Parameter[str],
) -> None:
    """Writes the task's schema, closed over the classes of the train split.

    `digest` is of the code that this depends on: TFX's cache sees it, nothing else does.
    """
    del digest
    classes = read_split_counts(Path(examples.uri))["train"].classes
    tfdv.write_schema_text(closed_schema(load(task).columns, classes), str(Path(schema.uri) / "schema.pbtxt"))
