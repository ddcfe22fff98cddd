"""Transformed examples as tf.data pipelines for training and as arrays for classical references."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.task import Arrays, DataSpec, Features, Task
from trainer.transform import unpack_example

HOLDOUT = 20
"""One train example in so many is kept from the gradient, to stop early by. The eval split is the Evaluator's alone."""

LENGTH_BUCKETS = 8
"""Batches of sequences are put together from one eighth of the range of lengths."""

MEMORY_SHARE = 0.1
"""Share of the free memory that decoded examples may take; a larger data set is decoded anew in each epoch."""


@dataclass(frozen=True)
class TransformedExamples:
    """One split that Transform wrote: gzipped TFRecords and the graph that says how to read them."""

    files: Sequence[str]
    transform_graph: str

    @functools.cached_property
    def transform_output(self) -> Any:
        import tensorflow_transform as tft

        return tft.TFTransformOutput(self.transform_graph)

    @functools.cached_property
    def count(self) -> int:
        """Number of examples. One pass over the compressed records, without parsing."""
        return int(self.records().reduce(np.int64(0), lambda n, _: n + 1).numpy())

    @functools.cached_property
    def features(self) -> dict[str, Any]:
        """Name -> tf.TensorSpec of one example; pictures have the size of the first record's."""
        for record in self.records().take(1):
            return {name: tf.TensorSpec(value.shape, value.dtype) for name, value in self._parse(record).items()}
        raise ValueError(f"no examples in {list(self.files)}")

    @functools.cached_property
    def vocabularies(self) -> dict[str, list[str]]:
        """Vocabulary name -> its entries in index order. Transform keeps each as an asset of that name."""
        output = self.transform_output
        assets = Path(output.transform_savedmodel_dir) / "assets"
        names = sorted(path.name for path in assets.iterdir()) if assets.is_dir() else []
        return {name: [word.decode() for word in output.vocabulary_by_name(name)] for name in names}

    def spec(self, steps: int) -> DataSpec:
        return DataSpec(self.features, self.vocabularies, self.count, steps, train=self.arrays)

    def records(self) -> Any:
        return tf.data.TFRecordDataset(sorted(self.files), compression_type="GZIP")

    def examples(self) -> Any:
        """Parsed, unpacked examples, one by one, in file order."""
        return self._parsed(self.records())

    def arrays(self, limit: int | None = None) -> Arrays:
        """Up to `limit` examples in memory: name -> array `[examples, ...]`."""
        batches = list(self._parsed(self.records().take(-1 if limit is None else limit)).batch(512).as_numpy_iterator())
        return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}

    @functools.cached_property
    def _parsing(self) -> dict[str, Any]:
        return self.transform_output.transformed_feature_spec()

    def _parse(self, record: Any) -> Features:
        return unpack_example(tf.io.parse_single_example(record, self._parsing))

    def _parsed(self, records: Any) -> Any:
        spec = self.features  # and with it the parsing, outside of the traced function

        def parse(record: Any) -> Features:
            example = self._parse(record)
            return {name: tf.ensure_shape(value, spec[name].shape) for name, value in example.items()}

        return records.map(parse, num_parallel_calls=_PARALLEL, deterministic=True)


_PARALLEL = 4
"""Fixed, not autotuned: destroying an iterator waits for the autotuner's thread, which sleeps up to a minute."""


def without_autotune(dataset: Any) -> Any:
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options)


def training_dataset(examples: TransformedExamples, task: Task) -> Callable[[Any], Any]:
    """The endless, shuffled training batches of one worker, as a function of tf.distribute.InputContext."""

    def build(context: Any) -> Any:
        records = examples.records() if task.monitor is None else _part(examples, train=True)
        records = records.shard(context.num_input_pipelines, context.input_pipeline_id)
        batch, seed = context.get_per_replica_batch_size(task.hparams.global_batch_size), task.hparams.seed
        dataset, in_memory = examples._parsed(records), _fits_in_memory(examples, context.num_input_pipelines)
        if in_memory and not task.sequences:
            mine = range(context.input_pipeline_id, training_count(examples, task), context.num_input_pipelines)
            dataset = _drawn(dataset, len(mine), batch, seed)
        else:
            dataset = dataset.cache() if in_memory else dataset
            dataset = dataset.shuffle(_shuffle_buffer(examples), seed=seed, reshuffle_each_iteration=True)
            dataset = _batched(dataset.repeat(), batch, task, examples)
        if type(task).augment is not Task.augment:
            first = seed << 32 | context.input_pipeline_id
            seeds = tf.data.Dataset.counter().map(lambda step: tf.stack([tf.cast(first, tf.int64), step]))
            dataset = tf.data.Dataset.zip((dataset, seeds)).map(
                task.augment, num_parallel_calls=_PARALLEL, deterministic=True
            )
        return without_autotune(dataset.map(_splitter(task)).prefetch(4))

    return build


def validation_dataset(examples: TransformedExamples, task: Task) -> Callable[[Any], Any]:
    """The held-out part of the train split, repeated, as a function of tf.distribute.InputContext."""

    def build(context: Any) -> Any:
        records = _part(examples, train=False).shard(context.num_input_pipelines, context.input_pipeline_id)
        dataset = examples._parsed(records)
        dataset = dataset.cache() if _fits_in_memory(examples, context.num_input_pipelines) else dataset
        batch = max(1, validation_batch(examples, task) // context.num_replicas_in_sync)
        dataset = dataset.repeat().batch(batch, drop_remainder=True).map(_cutter(task))
        return without_autotune(dataset.map(_splitter(task)).prefetch(2))

    return build


def _drawn(dataset: Any, count: int, batch: int, seed: int) -> Any:
    """Endless shuffled batches of a data set of `count` examples, held in memory.

    Each batch is one gather: handing on every example by itself costs a small model a tenth of its step.
    """
    order = tf.data.Dataset.range(count).shuffle(count, seed=seed, reshuffle_each_iteration=True).repeat()
    batches = tf.data.Dataset.zip((dataset.batch(count).cache().repeat(), order.batch(batch, drop_remainder=True)))
    return batches.map(
        lambda everything, index: {name: tf.gather(values, index) for name, values in everything.items()},
        num_parallel_calls=_PARALLEL,
        deterministic=True,
    )


def _batched(dataset: Any, batch: int, task: Task, examples: TransformedExamples) -> Any:
    """Batches of an endless data set, those of sequences of similar length and cut to the longest of them."""
    if not task.sequences:
        return dataset.batch(batch, drop_remainder=True, num_parallel_calls=_PARALLEL, deterministic=True)
    padded, length = next(iter(task.sequences.items()))
    longest = examples.features[padded].shape[0]
    boundaries = sorted({max(1, longest * i // LENGTH_BUCKETS) for i in range(1, LENGTH_BUCKETS)})
    batches = dataset.bucket_by_sequence_length(
        lambda features: tf.cast(features[length], tf.int32),
        boundaries,
        [batch] * (len(boundaries) + 1),
        drop_remainder=True,
    )
    return batches.map(_cutter(task), num_parallel_calls=_PARALLEL, deterministic=True)


def _cutter(task: Task) -> Callable[[Features], Features]:
    def cut(features: Features) -> Features:
        longest = {name: tf.maximum(tf.reduce_max(features[length]), 1) for name, length in task.sequences.items()}
        return {name: value[:, : longest[name]] if name in longest else value for name, value in features.items()}

    return cut


def training_count(examples: TransformedExamples, task: Task) -> int:
    return examples.count if task.monitor is None else examples.count - validation_count(examples)


def validation_count(examples: TransformedExamples) -> int:
    """Held-out examples: records 0, HOLDOUT, 2 HOLDOUT ..."""
    return -(-examples.count // HOLDOUT)


def validation_batch(examples: TransformedExamples, task: Task) -> int:
    """Examples in one validation batch over all workers: all of them when they fit in one training batch."""
    return min(task.hparams.global_batch_size, validation_count(examples))


def _part(examples: TransformedExamples, train: bool) -> Any:
    records = examples.records().enumerate()
    return records.filter(lambda i, _: tf.not_equal(i % HOLDOUT == 0, train)).map(lambda _, record: record)


def _fits_in_memory(examples: TransformedExamples, local_share: int) -> bool:
    import psutil

    size = examples.count * sum(_size(spec) for spec in examples.features.values())
    return size < MEMORY_SHARE * psutil.virtual_memory().available / max(local_share, 1)


def _size(spec: Any) -> int:
    return (spec.shape.num_elements() or 256) * (64 if spec.dtype == tf.string else spec.dtype.size) + 64


def _shuffle_buffer(examples: TransformedExamples) -> int:
    """As many examples as fit in 256 MiB, at most the whole split."""
    size = sum(_size(spec) for spec in examples.features.values())
    return max(1, min(examples.count, (256 << 20) // size))


def _splitter(task: Task) -> Callable[[Features], Any]:
    def split(features: Features) -> Any:
        inputs = {name: value for name, value in features.items() if name not in task.targets}
        targets = {name: features[name] for name in task.targets if name in features}
        if not targets:
            return inputs
        return inputs, next(iter(targets.values())) if len(targets) == 1 else targets

    return split
