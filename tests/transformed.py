"""Transformed examples on disk as the Transform node leaves them, without the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.backend import tf


def write_transformed(
    preprocessing_fn: Callable[[Any], Any],
    columns: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
    split: str = "train",
) -> list[str]:
    """Analyses and transforms `rows`; writes them below `folder/Split-{split}`, the graph to `folder/graph`.

    Args:
      columns: name -> dtype of a column of single values.

    Returns:
      The files of the split.
    """
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    spec = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in columns.items()}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with tft_beam.Context(temp_dir=str(folder / "temp")):
        (data, known), function = (list(rows), metadata) | tft_beam.AnalyzeAndTransformDataset(preprocessing_fn)
        function | tft_beam.WriteTransformFn(str(folder / "graph"))
    coder = tft.coders.ExampleProtoCoder(known.schema)
    file = folder / f"Split-{split}" / "transformed_examples-00000-of-00001.gz"
    file.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for row in data:
            writer.write(coder.encode(row))
    return [str(file)]
