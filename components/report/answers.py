"""A model's answers to the eval split: those that a report shows, and those that it draws its curves of."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from data.columns import raw_features
from trainer.preview import Preview, disk
from trainer.preview.plots import Plot
from trainer.task import Task

T = TypeVar("T")

PREVIEW_POOL = 256
"""Eval examples among which previews are chosen."""
POOL_FROM = 20_000
"""Eval examples of which that pool is taken."""
ALL_RECORDS = -1
PREVIEWS = 12
"""Previews of each sort, wrong and right."""


class Answers:
    """A model's answers to the eval split: to a pool of examples at once, to more of them where the task plots them."""

    def __init__(self, task: Task, split: Path, model: str) -> None:
        self._task, self._files = task, [str(path) for path in sorted(split.iterdir())]
        self._loaded = tf.saved_model.load(model)
        pool = self._pool_records()
        examples, outputs = self._answer(tf.constant(pool))
        self._pool = examples, _rows(outputs, len(examples))
        self._shown = [task.preview(*pair) for pair in zip(*self._pool, strict=True)]
        self._keys = [hashlib.sha256(record).hexdigest()[:16] for record in pool]

    def _records(self, most: int) -> Any:
        return tf.data.TFRecordDataset(self._files, compression_type="GZIP").take(most)

    def _pool_records(self) -> list[bytes]:
        """`PREVIEW_POOL` records, in which the values of the first raw column that metrics are sliced by take turns: of
        a split that lies in the order of its series or classes the first ones would all be of one."""
        columns = raw_features(self._task.columns)
        sliced = [name for name in self._task.metrics().slices if name in columns and columns[name].length == 1]
        if not sliced:
            return list(self._records(PREVIEW_POOL).as_numpy_iterator())
        dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[columns[sliced[0]].dtype]
        parsing = {sliced[0]: tf.io.FixedLenFeature([], dtype, default_value="" if dtype == tf.string else 0)}
        batches = self._records(POOL_FROM).batch(PREVIEW_POOL)
        parsed = batches.map(lambda batch: (tf.io.parse_example(batch, parsing)[sliced[0]], batch))
        pairs = (pair for values, records in parsed.as_numpy_iterator() for pair in zip(values, records, strict=True))
        return in_turn(pairs, PREVIEW_POOL)

    def _answer(self, batch: Any) -> tuple[list[dict[str, Any]], dict[str, np.ndarray[Any, Any]]]:
        """Serialised examples: raw, and every output of the model `[examples, ...]`."""
        outputs = self._loaded.signatures["serving_default"](batch)
        examples = [_example(self._task, record) for record in batch.numpy()]
        return examples, {name: tensor.numpy() for name, tensor in outputs.items()}

    def write_previews(self, directory: Path, demonstrations: Sequence[Preview] = ()) -> list[dict[str, Any]]:
        """`demonstrations`, what is seen of the pool at once, then the first wrong and the first right ones of it.

        Each record has, beside what `disk.write` gives it, `example`: the same in all runs that show that example.
        """
        chosen = [(f"demonstration {i}", shown) for i, shown in enumerate(demonstrations)]
        chosen += [(f"overview {i}", shown) for i, shown in enumerate(self._task.overview(*self._pool))]
        keyed = list(zip(self._keys, self._shown, strict=True))
        chosen += islice((pair for pair in keyed if pair[1].correct is False), PREVIEWS)
        chosen += islice((pair for pair in keyed if pair[1].correct is not False), PREVIEWS)
        records = disk.write([shown for _, shown in chosen], directory)
        return [record | {"example": key} for record, (key, _) in zip(records, chosen, strict=True)]

    def every(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each example of the split, raw columns, and the answer to it."""
        for examples, outputs in map(self._answer, self._records(ALL_RECORDS).batch(PREVIEW_POOL)):
            yield from zip(examples, _rows(outputs, len(examples)), strict=True)

    def plots(self) -> list[Plot]:
        """What the task draws of its answers to the first examples of the split."""
        if type(self._task).plots is Task.plots:  # nothing: no need to answer
            return []
        media = {name for name, column in self._task.columns.items() if column.is_media} - {*self._task.targets}
        shown: list[dict[str, Any]] = []
        predictions: list[dict[str, Any]] = []
        for examples, outputs in map(self._answer, self._records(self._task.plotted_examples).batch(PREVIEW_POOL)):
            shown += [{name: value for name, value in e.items() if name not in media} for e in examples]
            predictions += _rows(outputs, len(examples))
        return list(self._task.plots(shown, predictions))


def in_turn(pairs: Iterable[tuple[Any, T]], most: int) -> list[T]:
    """The second ones of pairs, so ordered that different first ones take turns: first the first of each, then the
    second of each ... The pairs are gone through once, and no more than `most` of them are kept."""

    def turns() -> Iterator[tuple[int, int, T]]:
        seen: Counter[Any] = Counter()
        for place, (value, one) in enumerate(pairs):
            yield seen[value], place, one
            seen[value] += 1

    return [one for _, _, one in heapq.nsmallest(most, turns())]


def _rows(outputs: dict[str, np.ndarray[Any, Any]], count: int) -> list[dict[str, Any]]:
    return [{name: values[i] for name, values in outputs.items()} for i in range(count)]


def _example(task: Task, record: bytes) -> dict[str, Any]:
    parsed = tf.train.Example.FromString(record).features.feature
    values: dict[str, Any] = {}
    for name, feature in raw_features(task.columns).items():
        kind = parsed[name].WhichOneof("kind")
        found = list(getattr(parsed[name], kind).value) if kind else []
        if feature.length != 1:
            values[name] = found
        elif found:
            values[name] = found[0]
    return values
