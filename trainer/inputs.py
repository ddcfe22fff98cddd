"""Transformed examples as tf.data pipelines for training and as arrays for classical references.

The way of an example: a record that Transform wrote is parsed and unpacked, put into a batch, given to `Task.batch`,
and parted into what the model is fed and its targets. All of that runs in the graph.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.memory import free_memory
from trainer.packing import unpack_example
from trainer.task import Arrays, DataSpec, Features, Task

HOLDOUT = 20
"""One train example in so many is kept from the gradient, to stop early by. The eval split is the Evaluator's alone."""

LENGTH_BUCKETS = 8
"""Batches of sequences are put together from one eighth of the range of lengths."""

MEMORY_SHARE = 0.1
"""Share of the free memory that decoded examples may take; a larger data set is decoded anew in each epoch."""

ARRAYS_SHARE = 0.25
"""Share of the free memory that the arrays of one split may take, of which classical references learn."""

SHUFFLE_BYTES = 256 << 20
"""What the buffer takes from which a data set larger than memory is shuffled."""

PARSED_TOGETHER, PARSED_BYTES = 256, 1 << 20
"""Records that are parsed in one call, at most so many and of so many bytes. Pictures are decoded one by one."""

SAMPLED = 64
"""Records that are decoded to estimate how much memory all will take."""

STRING_BYTES = 24
"""What TensorFlow takes for a string beside its content."""

_PARALLEL = 4
"""Fixed, not autotuned: destroying an iterator waits for the autotuner's thread, which sleeps up to a minute."""


@dataclass(frozen=True)
class TransformedExamples:
    """One split that Transform wrote: gzipped TFRecords and the graph that says how to read them."""

    files: Sequence[str]
    transform_graph: str
    task: Task

    @functools.cached_property
    def transform_output(self) -> Any:
        import tensorflow_transform as tft

        return tft.TFTransformOutput(self.transform_graph)

    @functools.cached_property
    def count(self) -> int:
        """Number of examples."""
        return self._count_and_bytes[0]

    @functools.cached_property
    def _count_and_bytes(self) -> tuple[int, int]:
        """Of all records, in one pass that does not parse them."""
        totals = self.records().reduce(
            np.zeros(2, np.int64),
            lambda sums, record: (
                sums + tf.stack([tf.constant(1, tf.int64), tf.cast(tf.strings.length(record), tf.int64)])
            ),
        )
        count, size = totals.numpy().tolist()
        return count, size

    @functools.cached_property
    def stored(self) -> dict[str, Any]:
        """Name -> tf.TensorSpec of one example as `preprocess` made it; sizes that the graph leaves open are those of
        the first record."""
        for record in self.records().take(1):
            return {name: tf.TensorSpec(value.shape, value.dtype) for name, value in self._parse(record).items()}
        raise ValueError(f"no examples in {list(self.files)}")

    @functools.cached_property
    def features(self) -> dict[str, Any]:
        """Name -> tf.TensorSpec of one example as `Task.batch` hands it on. A dimension that is not the same in
        training and in inference, or in all batches, is None."""
        if not _has_batch(self.task):
            return self.stored
        batches = self._parsed(self.records()).batch(2)
        inferred, trained = self._prepared(batches), _with_seeds(batches, self.task, first=0)
        return _common_specs(inferred.element_spec, trained.element_spec)

    @functools.cached_property
    def vocabularies(self) -> dict[str, list[str]]:
        """Vocabulary name -> its entries in index order. Transform keeps each as an asset of that name."""
        output = self.transform_output
        assets = Path(output.transform_savedmodel_dir) / "assets"
        names = sorted(path.name for path in assets.iterdir()) if assets.is_dir() else []
        return {name: [word.decode() for word in output.vocabulary_by_name(name)] for name in names}

    def spec(self, steps: int, assets: Mapping[str, str | None]) -> DataSpec:
        """`assets`: the file of each of the task's assets, or None."""
        files = {name: None if file is None else Path(file) for name, file in assets.items()}
        held_out = functools.partial(held_out_batches, self)
        return DataSpec(
            self.features, self.vocabularies, self.count, steps, train=self.arrays, held_out=held_out, assets=files
        )

    def records(self) -> Any:
        return tf.data.TFRecordDataset(sorted(self.files), compression_type="GZIP")

    def batches(self, limit: int | None = None) -> Iterator[Arrays]:
        """Up to `limit` examples in file order, in batches as inference has them.

        Of more they are taken evenly from first to last: the first alone are of few classes where data is sorted.
        """
        records, count = self.records(), self.count
        if limit is not None and limit < count:
            records = records.enumerate().filter(lambda i, _: i * limit % count < limit).map(lambda _, record: record)
        yield from self._prepared(self._parsed(records).batch(self.task.predict_batch_size)).as_numpy_iterator()

    def arrays(self, limit: int | None = None, only: Collection[str] = ()) -> Arrays:
        """Up to `limit` examples in memory: name -> array `[examples, ...]`. Where `Task.batch` leaves examples of
        several sizes, an array of arrays. Of all features, or of those in `only`."""
        if not self.count:
            raise ValueError(f"no examples in {list(self.files)}")
        count = self.count if limit is None else min(limit, self.count)
        joined: dict[str, _Joined] = {}
        for batch in self.batches(limit):
            for name in only or batch:
                if name not in joined:
                    joined[name] = _Joined(count, batch[name])
                joined[name].add(batch[name])
        return {name: one.array for name, one in joined.items()}

    def fitting(self, wanted: int) -> int:
        """How many of `wanted` examples may be held as arrays, by the memory that is free."""
        room = int(ARRAYS_SHARE * free_memory()) * self.count // max(self.bytes_in_memory(), 1)
        return max(1, min(wanted, self.count, room))

    def bytes_in_memory(self) -> int:
        """An estimate of what all decoded examples take, from the first `SAMPLED` and the size of all records."""
        records = list(self.records().take(SAMPLED).as_numpy_iterator())
        decoded = sum(_bytes_of(value.numpy()) for record in records for value in self._parse(record).values())
        serialized = sum(map(len, records))
        count, total = self._count_and_bytes
        return max(decoded * count // max(len(records), 1), decoded * total // max(serialized, 1))

    @functools.cached_property
    def _parsing(self) -> dict[str, Any]:
        return self.transform_output.transformed_feature_spec()

    def _parse(self, record: Any) -> Features:
        return unpack_example(tf.io.parse_single_example(record, self._parsing))

    def _parsed(self, records: Any) -> Any:
        spec = self.stored  # and with it the parsing, outside of the traced function
        if spec.keys() == self._parsing.keys() and all(
            isinstance(kind, tf.io.FixedLenFeature) for kind in self._parsing.values()
        ):
            return self._parsed_together(records)

        def parse(record: Any) -> Features:
            example = self._parse(record)
            return {name: tf.ensure_shape(value, spec[name].shape) for name, value in example.items()}

        return records.map(parse, num_parallel_calls=_PARALLEL, deterministic=True)

    def _parsed_together(self, records: Any) -> Any:
        """Records of which nothing is packed: to parse each by itself takes four times as long."""
        size = sum(math.prod(spec.shape) * spec.dtype.size for spec in self.stored.values())
        batches = records.batch(max(1, min(PARSED_TOGETHER, PARSED_BYTES // max(size, 1))))
        parse = functools.partial(tf.io.parse_example, features=self._parsing)
        return batches.map(parse, num_parallel_calls=_PARALLEL, deterministic=True).unbatch()

    def _prepared(self, batches: Any) -> Any:
        """Batches as inference has them."""
        if not _has_batch(self.task):
            return batches
        # A partial of the task's own method, not a function of ours: AutoGraph leaves alone what is defined here.
        prepare = functools.partial(self.task.batch, seed=None)
        return batches.map(prepare, num_parallel_calls=_PARALLEL, deterministic=True)


def without_autotune(dataset: Any) -> Any:
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options)


# --- training ---


def training_dataset(examples: TransformedExamples) -> Callable[[Any], Any]:
    """The endless, shuffled training batches of one worker, as a function of tf.distribute.InputContext."""
    task = examples.task

    def build(context: Any) -> Any:
        batch, seed = context.get_per_replica_batch_size(task.hparams.global_batch_size), task.hparams.seed
        workers, worker = context.num_input_pipelines, context.input_pipeline_id
        shards, shard = shard_of(training_count(examples), workers, worker)
        records = _part(examples, train=True).shard(shards, shard)
        in_memory = fits_in_memory(examples, workers)
        if in_memory and not task.sequences:
            mine = len(range(shard, training_count(examples), shards))
            dataset = _drawn(examples._parsed(records), mine, batch, seed)
        elif in_memory:
            dataset = examples._parsed(records).cache()
            dataset = dataset.shuffle(examples.count, seed=seed, reshuffle_each_iteration=True)
            dataset = _batched(dataset.repeat(), batch, examples)
        else:  # shuffled while they are small
            records = records.shuffle(_shuffle_buffer(examples), seed=seed, reshuffle_each_iteration=True)
            dataset = _batched(examples._parsed(records.repeat()), batch, examples)
        if _has_batch(task):
            dataset = _with_seeds(dataset, task, first=seed << 32 | worker)
        return without_autotune(dataset.map(_splitter(task)).prefetch(4))

    return build


def shard_of(count: int, workers: int, worker: int) -> tuple[int, int]:
    """Into how many shards `count` examples are parted, and which is this worker's. None is empty: where there are
    fewer examples than workers, several have the same."""
    shards = max(1, min(workers, count))
    return shards, worker % shards


def training_count(examples: TransformedExamples) -> int:
    """Examples that are learnt from. A single one is, though it is held out too."""
    if examples.task.monitor is None or examples.count == 1:
        return examples.count
    return examples.count - validation_count(examples)


def _with_seeds(batches: Any, task: Task, first: int) -> Any:
    """`Task.batch` on each batch with a seed of its own, (`first`, number of the batch)."""
    seeds = tf.data.Dataset.counter().map(lambda step: tf.stack([tf.constant(first, tf.int64), step]))
    return tf.data.Dataset.zip((batches, seeds)).map(task.batch, num_parallel_calls=_PARALLEL, deterministic=True)


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


def _batched(dataset: Any, batch: int, examples: TransformedExamples) -> Any:
    """Batches of an endless data set, those of sequences of similar length and cut to the longest of them."""
    task = examples.task
    if not task.sequences:
        return dataset.batch(batch, drop_remainder=True, num_parallel_calls=_PARALLEL, deterministic=True)
    padded, length = next(iter(task.sequences.items()))
    longest = examples.stored[padded].shape[0]
    boundaries = sorted({max(1, longest * i // LENGTH_BUCKETS) for i in range(1, LENGTH_BUCKETS)})
    batches = dataset.bucket_by_sequence_length(
        lambda features: tf.cast(features[length], tf.int32),
        boundaries,
        [batch] * (len(boundaries) + 1),
        drop_remainder=True,
    )
    return batches.map(_cutter(task), num_parallel_calls=_PARALLEL, deterministic=True)


# --- validation ---


@dataclass(frozen=True)
class ValidationPlan:
    """How held-out examples are shared out: each worker has as many batches of the same sizes as every other, so that
    none waits for one that has finished, and each example is in one of them."""

    examples: int
    """Of each worker. Where they do not share evenly, some workers begin their shard again to fill up."""
    batch: int
    """Examples of one worker in one step, the last one apart, which may hold fewer."""
    steps: int
    replicas: int
    """Of one worker; `examples` is a multiple of it."""

    @classmethod
    def of(cls, count: int, global_batch: int, workers: int, replicas: int) -> ValidationPlan:
        """Of `count` held-out examples. `replicas`: of all workers together."""
        local = max(1, replicas // workers)
        each = -(-count // (workers * local)) * local
        batch = min(max(local, global_batch // workers // local * local), each)
        return cls(each, batch, -(-each // batch), local)


def validation_plan(examples: TransformedExamples, workers: int, replicas: int) -> ValidationPlan:
    return ValidationPlan.of(validation_count(examples), examples.task.hparams.global_batch_size, workers, replicas)


def validation_dataset(examples: TransformedExamples) -> Callable[[Any], Any]:
    """The held-out part of the train split, repeated, as a function of tf.distribute.InputContext."""
    task = examples.task

    def build(context: Any) -> Any:
        workers = context.num_input_pipelines
        plan = validation_plan(examples, workers, context.num_replicas_in_sync)
        shard = shard_of(validation_count(examples), workers, context.input_pipeline_id)
        dataset = examples._parsed(_part(examples, train=False).shard(*shard)).repeat().take(plan.examples)
        dataset = dataset.cache() if fits_in_memory(examples, workers) else dataset
        dataset = dataset.batch(plan.batch)
        if plan.replicas > 1:  # each takes a batch from here in each step
            dataset = dataset.flat_map(functools.partial(_shared_out, replicas=plan.replicas))
        dataset = examples._prepared(dataset.repeat().map(_cutter(task)))
        return without_autotune(dataset.map(_splitter(task)).prefetch(2))

    return build


def held_out_batch(examples: TransformedExamples, count: int) -> Any:
    """Up to `count` of the first held-out examples in one batch, as `validation_dataset` gives them."""
    records = _part(examples, train=False).take(count)
    dataset = examples._prepared(examples._parsed(records).batch(count).map(_cutter(examples.task)))
    return next(iter(without_autotune(dataset.map(_splitter(examples.task)))))


def held_out_batches(examples: TransformedExamples) -> Iterator[Arrays]:
    """All held-out examples, in batches as inference has them."""
    batches = examples._parsed(_part(examples, train=False)).batch(examples.task.predict_batch_size)
    yield from examples._prepared(batches).as_numpy_iterator()


def _shared_out(batch: Features, replicas: int) -> Any:
    """One batch as `replicas` of equal size."""
    return tf.data.Dataset.from_tensor_slices(
        {
            name: tf.reshape(value, tf.concat([[replicas, tf.shape(value)[0] // replicas], tf.shape(value)[1:]], 0))
            for name, value in batch.items()
        }
    )


def validation_count(examples: TransformedExamples) -> int:
    """Held-out examples: records 0, HOLDOUT, 2 HOLDOUT ..."""
    return -(-examples.count // HOLDOUT)


# --- both ---


def _part(examples: TransformedExamples, train: bool) -> Any:
    records = examples.records()
    if train and training_count(examples) == examples.count:
        return records
    held_out = records.enumerate().filter(lambda i, _: tf.not_equal(i % HOLDOUT == 0, train))
    return held_out.map(lambda _, record: record)


def _splitter(task: Task) -> Callable[[Features], Any]:
    """Features to (inputs, targets), both dicts; to inputs alone where the task has no targets."""

    def split(features: Features) -> Any:
        inputs = {name: value for name, value in features.items() if name not in task.targets}
        targets = {name: features[name] for name in task.targets if name in features}
        return (inputs, targets) if targets else inputs

    return split


def _cutter(task: Task) -> Callable[[Features], Features]:
    def cut(features: Features) -> Features:
        longest = {name: tf.maximum(tf.reduce_max(features[length]), 1) for name, length in task.sequences.items()}
        return {name: value[:, : longest[name]] if name in longest else value for name, value in features.items()}

    return cut


def _has_batch(task: Task) -> bool:
    return type(task).batch is not Task.batch


def _common_specs(*batches: dict[str, Any]) -> dict[str, Any]:
    """Name -> tf.TensorSpec of one example, with None where batches differ."""
    common: dict[str, Any] = {}
    for specs in batches:
        for name, spec in specs.items():
            shape = spec.shape[1:]
            if name in common:
                shape = common[name].shape.most_specific_compatible_shape(shape)
            common[name] = tf.TensorSpec(shape, spec.dtype)
    return common


class _Joined:
    """One array of parts that come one after the other, which are never held beside it."""

    def __init__(self, count: int, like: np.ndarray) -> None:
        """`count`: of the examples of all parts, the first of which is as `like`."""
        self._whole, self._there = np.empty((count, *like.shape[1:]), like.dtype), 0
        self._rows: list[np.ndarray] | None = None
        """In place of `_whole`, of examples of several sizes."""

    def add(self, part: np.ndarray) -> None:
        if self._rows is None and part.shape[1:] != self._whole.shape[1:]:
            self._rows = list(self._whole[: self._there])
        if self._rows is None:
            self._whole[self._there : self._there + len(part)] = part
        else:
            self._rows += list(part)
        self._there += len(part)

    @property
    def array(self) -> np.ndarray:
        if self._rows is None:
            return self._whole
        joined = np.empty(len(self._rows), object)
        joined[:] = self._rows
        return joined


# --- memory ---


def fits_in_memory(examples: TransformedExamples, workers_here: int) -> bool:
    """Whether the decoded examples may be held: `workers_here` share this machine, or so it is assumed."""
    return examples.bytes_in_memory() < MEMORY_SHARE * free_memory() / max(workers_here, 1)


def _shuffle_buffer(examples: TransformedExamples) -> int:
    """As many records as `SHUFFLE_BYTES` hold, at most the whole split."""
    count, size = examples._count_and_bytes
    return max(1, min(count, SHUFFLE_BYTES * count // max(size, 1)))


def _bytes_of(value: np.ndarray | bytes) -> int:
    """What a tensor takes in memory, content of strings included."""
    if isinstance(value, bytes):
        return len(value) + STRING_BYTES
    if value.dtype == object:
        return sum(len(text) + STRING_BYTES for text in value.flat)
    return value.nbytes
