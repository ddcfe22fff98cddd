"""Batches of one worker among several: each has examples, all are learnt from, all held-out ones are validated on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import inputs
from trainer.backend import tf
from trainer.inputs import TransformedExamples, ValidationPlan, shard_of
from trainer.packing import pack
from trainer.task import Features, HParams, Task


class Plain(Task):
    """Hands everything on."""

    targets = ("label",)

    preprocess = build_model = predict = metrics = preview = None  # type: ignore[assignment]


class Cropped(Plain):
    """In training a corner of the picture, else all of it."""

    def batch(self, features: Features, seed: Any) -> Features:
        image = features["image"]
        if seed is not None:
            image = image[:, :2, :2] + tf.cast(tf.random.stateless_uniform([], seed, 0, 2, tf.int32), tf.uint8)
        return {**features, "image": image}


Plain.__abstractmethods__ = Cropped.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Written(TransformedExamples):
    """Examples without a Transform graph: `number` int64, `label` int64, `image` uint8 [4, 4, 1], all of one number."""

    @property
    def _parsing(self) -> dict[str, Any]:
        kinds = {"number": tf.int64, "label": tf.int64, "image__png": tf.string}
        return {name: tf.io.FixedLenFeature([], kind) for name, kind in kinds.items()}


def written(folder: Path, count: int, task: type[Task] = Plain, **hparams: Any) -> Written:
    path = folder / "examples.gz"
    pictures = np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    [encoded] = pack({"image": tf.constant(pictures)}).values() if count else [tf.constant([])]
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number, picture in enumerate(encoded.numpy()):
            example = tf.train.Example()
            example.features.feature["number"].int64_list.value.append(number)
            example.features.feature["label"].int64_list.value.append(number % 2)
            example.features.feature["image__png"].bytes_list.value.append(picture)
            writer.write(example.SerializeToString())
    return Written([str(path)], "", task(HParams(**hparams)))


def context(workers: int = 1, worker: int = 0, replicas: int | None = None) -> Any:
    return tf.distribute.InputContext(workers, worker, replicas or workers)


def numbers(dataset: Any, batches: int) -> Iterator[list[int]]:
    for features, _ in dataset.take(batches).as_numpy_iterator():
        yield features["number"].tolist()


@pytest.fixture(params=["in memory", "larger than memory"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(inputs, "free_memory", lambda: 1 << 40 if request.param == "in memory" else 0)
    return request.param


def test_each_pass_has_every_train_example_once_in_another_order(tmp_path: Path, memory: str) -> None:
    examples = written(tmp_path, 40, global_batch_size=19)
    dataset = inputs.training_dataset(examples)(context())
    first, second, third, fourth = numbers(dataset, 4)
    learnt = sorted(set(range(40)) - {0, 20})
    assert sorted(first + second) == sorted(third + fourth) == learnt
    assert first + second != third + fourth
    again = list(numbers(inputs.training_dataset(examples)(context()), 2))
    assert again == [first, second], "the same in each run"


def test_targets_are_a_dict_also_where_there_is_one(tmp_path: Path, memory: str) -> None:
    dataset = inputs.training_dataset(written(tmp_path, 40, global_batch_size=8))(context())
    features, targets = next(dataset.as_numpy_iterator())
    assert features.keys() == {"number", "image"} and targets.keys() == {"label"}
    assert (targets["label"] == features["number"] % 2).all()


@pytest.mark.parametrize("count", [1, 2, 3, 21])
@pytest.mark.parametrize("workers", [2, 5])
def test_no_worker_is_without_examples(tmp_path: Path, memory: str, count: int, workers: int) -> None:
    examples = written(tmp_path, count, global_batch_size=workers * 4)
    learnt: Counter[int] = Counter()
    validated: Counter[int] = Counter()
    plan = inputs.validation_plan(examples, workers, workers)
    shapes = set()
    for worker in range(workers):
        part = context(workers, worker)
        batches = list(numbers(inputs.training_dataset(examples)(part), 12))
        assert [len(batch) for batch in batches] == [4] * 12
        learnt.update(number for batch in batches for number in batch)
        held_out = list(numbers(inputs.validation_dataset(examples)(part), plan.steps))
        shapes.add(tuple(map(len, held_out)))
        validated.update(number for batch in held_out for number in batch)
    assert len(shapes) == 1, "all workers step alike"
    assert set(validated) == set(range(0, count, inputs.HOLDOUT))
    assert set(learnt) == (set(range(count)) - set(validated) or {0})


@pytest.mark.parametrize("count", [1, 2, 7, 16, 17, 100])
@pytest.mark.parametrize(("workers", "replicas"), [(1, 1), (2, 2), (3, 3), (1, 4), (2, 8)])
def test_validation_is_shared_out_evenly(count: int, workers: int, replicas: int) -> None:
    plan = ValidationPlan.of(count, 16 * replicas, workers, replicas)
    assert count <= plan.examples * workers < count + replicas, "at most one more for each replica"
    assert (plan.steps - 1) * plan.batch < plan.examples <= plan.steps * plan.batch
    assert plan.batch <= 16 * replicas // workers
    assert plan.examples % plan.replicas == plan.batch % plan.replicas == 0


def test_several_replicas_of_a_worker_take_equal_batches(tmp_path: Path) -> None:
    examples = written(tmp_path, 6 * inputs.HOLDOUT, global_batch_size=4)
    dataset = inputs.validation_dataset(examples)(context(replicas=2))
    assert list(map(len, numbers(dataset, 8))) == [2, 2, 1, 1, 2, 2, 1, 1]


def test_shards_cover_all_examples() -> None:
    for count in range(1, 8):
        for workers in range(1, 6):
            parts = [shard_of(count, workers, worker) for worker in range(workers)]
            owned = [set(range(shard, count, shards)) for shards, shard in parts]
            assert all(owned) and set().union(*owned) == set(range(count))


def test_batch_has_a_seed_in_training_alone_and_shapes_say_so(tmp_path: Path, memory: str) -> None:
    examples = written(tmp_path, 60, Cropped, global_batch_size=8)
    assert examples.stored["image"].shape == [4, 4, 1]
    assert examples.features["image"].shape.as_list() == [None, None, 1]
    assert examples.features["number"].shape == []
    added = set()
    for features, _ in inputs.training_dataset(examples)(context()).take(12).as_numpy_iterator():
        assert features["image"].shape == (8, 2, 2, 1)
        added |= set((features["image"][:, 0, 0, 0] - features["number"]).tolist())
    assert added == {0, 1}, "another seed in each batch"
    features, _ = next(inputs.validation_dataset(examples)(context()).as_numpy_iterator())
    assert (features["image"] == features["number"][:, None, None, None]).all() and features["image"].shape[1] == 4
    arrays = examples.arrays(5)
    assert arrays["image"].shape == (5, 4, 4, 1) and arrays["number"].tolist() == [0, 12, 24, 36, 48]


@pytest.mark.parametrize("limit", [1, 7, 59, 60, 10**9])
def test_some_of_the_examples_are_spread_over_all(tmp_path: Path, limit: int) -> None:
    found = written(tmp_path, 60).arrays(limit)["number"].tolist()
    assert len(found) == min(limit, 60) and found == sorted(set(found)) and found[0] == 0
    assert max(np.diff([*found, 60])) <= -(-60 // limit)


def test_of_some_features_no_others_are_held(tmp_path: Path) -> None:
    found = written(tmp_path, 60).arrays(7, only=("label",))
    assert found.keys() == {"label"} and len(found["label"]) == 7


def test_examples_of_several_sizes_are_an_array_of_arrays() -> None:
    parts = (np.zeros((2, 3), np.int32), np.ones((2, 4), np.int32), np.ones((1, 3), np.int32))
    joined = inputs._Joined(5, parts[0])
    for part in parts:
        joined.add(part)
    assert joined.array.dtype == object
    assert [row.tolist() for row in joined.array] == [[0] * 3, [0] * 3, [1] * 4, [1] * 4, [1] * 3]


@pytest.mark.parametrize(("free", "held"), [(10**9, 60), (4 * 60 * 32 // 2, 30), (0, 1)])
def test_arrays_are_as_many_examples_as_memory_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, held: int
) -> None:
    monkeypatch.setattr(inputs, "free_memory", lambda: free)
    assert written(tmp_path, 60).fitting(10**9) == pytest.approx(held, abs=1)


@pytest.mark.parametrize("task", [Plain, Cropped])
def test_what_is_learnt_from_does_not_depend_on_whether_memory_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: type[Task]
) -> None:
    examples = written(tmp_path, 60, task, global_batch_size=8)
    batches = []
    for share in (1.0, 0.0):
        monkeypatch.setattr(inputs, "MEMORY_SHARE", share)
        taken = inputs.training_dataset(examples)(context()).take(20).as_numpy_iterator()
        batches.append(
            [(found["number"].tolist(), found["image"].tolist(), to["label"].tolist()) for found, to in taken]
        )
    assert batches[0] == batches[1]


def test_records_that_are_parsed_together_are_the_same_examples(tmp_path: Path) -> None:
    path = tmp_path / "examples.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number in range(600):
            example = tf.train.Example()
            example.features.feature["pair"].float_list.value.extend([number, -number])
            example.features.feature["text"].bytes_list.value.append(str(number).encode())
            writer.write(example.SerializeToString())

    class Numbers(Written):
        _parsing = {"pair": tf.io.FixedLenFeature([2], tf.float32), "text": tf.io.FixedLenFeature([], tf.string)}  # type: ignore[assignment]

    examples = Numbers([str(path)], "", Plain(HParams()))
    for records in (examples.records(), examples.records().repeat().take(1100), examples.records().take(1)):
        alone = records.map(examples._parse)
        together = examples._parsed(records)
        assert together.element_spec == alone.element_spec
        pairs = zip(alone.as_numpy_iterator(), together.as_numpy_iterator(), strict=True)
        assert all(one["text"] == other["text"] and (one["pair"] == other["pair"]).all() for one, other in pairs)


def test_held_out_examples_come_batch_by_batch_as_inference_has_them(tmp_path: Path) -> None:
    batches = list(inputs.held_out_batches(written(tmp_path, 20 * 70 + 1, Cropped)))
    size = Plain.predict_batch_size
    assert [len(batch["number"]) for batch in batches] == [size] * (71 // size) + [71 % size] * (71 % size > 0)
    assert [number for batch in batches for number in batch["number"]] == list(range(0, 1401, inputs.HOLDOUT))
    assert all(batch["image"].shape[1:] == (4, 4, 1) for batch in batches)


def test_memory_is_estimated_from_what_examples_decode_to(tmp_path: Path) -> None:
    examples = written(tmp_path, 100)
    assert examples.bytes_in_memory() == pytest.approx(100 * (16 + 8 + 8), rel=0.05)


def test_long_strings_count_by_their_length() -> None:
    assert inputs._bytes_of(np.array([b"x" * 1000, b""], object)) == 1000 + 2 * inputs.STRING_BYTES
