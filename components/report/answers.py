"""A model's answers to the eval split: those that a report shows, and all of them as a table and as curves."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import tensorflow as tf

from components.report.answer_table import AnswersData, AnswerTable
from components.report.thresholds import ThresholdCounts
from data.columns import raw_features
from trainer.preview import Preview, as_text, disk
from trainer.preview.plots import Plot
from trainer.task import Task

T = TypeVar("T")

PREVIEW_POOL = 256
"""Examples of a split among which previews are chosen."""
POOL_FROM = 20_000
"""Examples of which that pool is taken."""
PREVIEWS = 12
"""Previews of each sort, wrong and right."""


@dataclass(frozen=True)
class _Batch:
    """Of some examples their places in the split, serialised, raw, and one row of the outputs each."""

    places: Sequence[int]
    records: Sequence[bytes]
    examples: Sequence[dict[str, Any]]
    predictions: Sequence[dict[str, Any]]

    def first(self, most: int) -> _Batch:
        return _Batch(self.places[:most], self.records[:most], self.examples[:most], self.predictions[:most])

    def keys(self) -> list[str]:
        """The same in all runs that read these examples."""
        return [key_of(record) for record in self.records]


class Answers:
    """A model's answers to the eval split: to a pool of examples at once, to as many as the task answers in batches."""

    def __init__(self, task: Task, split: Path, model: Any) -> None:
        """`model` is what `tf.saved_model.load` returns."""
        self._task, self._split = task, split
        self._loaded = model
        self._pool = self._answered(*zip(*self._pool_records(), strict=True))
        self._shown = [task.preview(*pair) for pair in zip(self._pool.examples, self._pool.predictions, strict=True)]

    def _records(self, most: int) -> Any:
        return records_of(self._split).take(most)

    def _pool_records(self) -> list[tuple[int, bytes]]:
        """Place and content of `PREVIEW_POOL` records, in which the values of the first raw column that metrics are
        sliced by take turns: of a split that lies in the order of its series or classes the first ones would all be of
        one."""
        columns = raw_features(self._task.columns)
        sliced = [name for name in self._slices() if name in columns and columns[name].length == 1]
        if not sliced:
            return self._unsliced()
        dtype = {"bytes": tf.string, "int64": tf.int64, "float32": tf.float32}[columns[sliced[0]].dtype]
        parsing = {sliced[0]: tf.io.FixedLenFeature([], dtype, default_value="" if dtype == tf.string else 0)}
        batches = self._records(POOL_FROM).batch(PREVIEW_POOL)
        parsed = batches.map(lambda batch: (tf.io.parse_example(batch, parsing)[sliced[0]], batch))
        found = (pair for values, records in parsed.as_numpy_iterator() for pair in zip(values, records, strict=True))
        return in_turn(((value, (place, record)) for place, (value, record) in enumerate(found)), PREVIEW_POOL)

    def _unsliced(self) -> list[tuple[int, bytes]]:
        return list(enumerate(self._records(PREVIEW_POOL).as_numpy_iterator()))

    def _slices(self) -> tuple[str, ...]:
        return self._task.metrics().slices

    def _answered(self, places: Sequence[int], records: Sequence[bytes]) -> _Batch:
        outputs = self._loaded.signatures["serving_default"](tf.constant(records))
        arrays = {name: tensor.numpy() for name, tensor in outputs.items()}
        rows = [{name: values[i] for name, values in arrays.items()} for i in range(len(records))]
        return _Batch(places, records, [example_of(self._task, record) for record in records], rows)

    def _batches(self) -> Iterator[_Batch]:
        """As many examples as the task answers: those of the pool, if they are as many, else in the split's order."""
        most = self._task.answered_examples
        if most <= len(self._pool.records) or len(self._pool.records) < PREVIEW_POOL:
            yield self._pool.first(most)
            return
        place = count()
        for records in self._records(most).batch(PREVIEW_POOL).as_numpy_iterator():
            yield self._answered([next(place) for _ in records], records.tolist())

    def write_previews(self, directory: Path, demonstrations: Sequence[Preview] = ()) -> list[dict[str, Any]]:
        """`demonstrations`, what is seen of the pool at once, then the first wrong and the first right ones of it.

        Each record has, beside what `disk.write` gives it, `example`: the same in all runs that show that example.
        """
        chosen = [(f"demonstration {i}", shown) for i, shown in enumerate(demonstrations)]
        chosen += [(f"overview {i}", shown) for i, shown in enumerate(self._overview())]
        keyed = list(zip(self._pool.keys(), self._shown, strict=True))
        chosen += islice((pair for pair in keyed if pair[1].correct is False), PREVIEWS)
        chosen += islice((pair for pair in keyed if pair[1].correct is not False), PREVIEWS)
        records = disk.write([shown for _, shown in chosen], directory)
        return [record | {"example": key} for record, (key, _) in zip(records, chosen, strict=True)]

    def _overview(self) -> Sequence[Preview]:
        return self._task.overview(self._pool.examples, self._pool.predictions)

    def write_table(self, directory: Path, thresholds: ThresholdCounts | None = None) -> tuple[AnswersData, list[Plot]]:
        """Writes the table of the answers, batch by batch, and returns what is said of it, and what the task draws.

        All of them are added to `thresholds`, if there are any. No more than `plotted_examples` are kept, and only of
        tasks that draw some.
        """
        draws = type(self._task).plots is not Task.plots
        left = self._task.plotted_examples if draws else 0
        media = {name for name, column in self._task.columns.items() if column.is_media} - {*self._task.targets}
        shown: list[dict[str, Any]] = []
        predictions: list[dict[str, Any]] = []
        table = AnswerTable(directory, list(self._slices()))
        for batch in self._batches():
            self._list(batch, table)
            if thresholds:
                for pair in zip(batch.examples, batch.predictions, strict=True):
                    thresholds.add(*pair)
            kept = batch.first(left - len(shown))
            shown += [{name: value for name, value in e.items() if name not in media} for e in kept.examples]
            predictions += kept.predictions
        return table.close(), list(self._task.plots(shown, predictions)) if draws else []

    def _list(self, batch: _Batch, table: AnswerTable) -> None:
        slices = self._slice_values(batch)
        for i, key in enumerate(batch.keys()):
            example = batch.examples[i]
            assessed = self._task.assess(example, batch.predictions[i])
            table.add(key, batch.places[i], self._asked(example), assessed, slices[i])

    def _asked(self, example: Mapping[str, Any]) -> str:
        """What of it can be read: its inputs that are texts."""
        task = self._task
        texts = [
            as_text(example[name])
            for name, column in task.columns.items()
            if name not in task.targets and not column.is_media and isinstance(example.get(name), bytes)
        ]
        return " · ".join(text for text in texts if text)

    def _slice_values(self, batch: _Batch) -> list[dict[str, str]]:
        """Of each example the values that metrics are sliced by, as they are called there: raw columns, and features
        that `preprocess` makes for the purpose."""
        names = self._slices()
        beside = [name for name in names if name not in raw_features(self._task.columns)]
        made: Mapping[str, Any] = {}
        if beside:
            features = self._loaded.signatures["transform_labels"](tf.constant(batch.records))
            made = {name: features[name].numpy() for name in beside}

        def of(i: int, name: str) -> Any:
            return made[name][i] if name in made else batch.examples[i].get(name)

        found = [{name: of(i, name) for name in names} for i in range(len(batch.records))]
        return [{name: as_text(value) for name, value in one.items() if value is not None} for one in found]


def in_turn(pairs: Iterable[tuple[Any, T]], most: int) -> list[T]:
    """The second ones of pairs, so ordered that different first ones take turns: first the first of each, then the
    second of each ... The pairs are gone through once, and no more than `most` of them are kept."""

    def turns() -> Iterator[tuple[int, int, T]]:
        seen: Counter[Any] = Counter()
        for place, (value, one) in enumerate(pairs):
            yield seen[value], place, one
            seen[value] += 1

    return [one for _, _, one in heapq.nsmallest(most, turns())]


def records_of(split: Path) -> Any:
    """The serialised tf.Examples of a split, in its order, as a tf.data.Dataset. `split`: the folder of its files."""
    return tf.data.TFRecordDataset([str(path) for path in sorted(split.iterdir())], compression_type="GZIP")


def key_of(record: bytes) -> str:
    """What an example is called: the same in all runs that read it."""
    return hashlib.sha256(record).hexdigest()[:16]


def example_of(task: Task, record: bytes) -> dict[str, Any]:
    """The raw features of a serialised tf.Example, targets included; those that it lacks are left out."""
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
