"""What a task's `preprocess` makes goes through TensorFlow Transform, to disk and back, and stays what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import WrongUse
from tests.transformed import write_transformed
from trainer import transform
from trainer.backend import tf
from trainer.inputs import TransformedExamples
from trainer.task import Features, HParams, Task
from trainer.tasks.image_classification import ImageClassification

COUNT = 5
SHAPES = {"scalar": (), "row": (5,), "table": (3, 4), "picture": (6, 5, 3), "film": (2, 4, 5, 3), "empty": (0,)}


def made(shape: tuple[int, ...], number: Any) -> Any:
    """Bytes that are other ones in each example, `number` int64 `[batch]`."""
    places = tf.reshape(tf.range(int(np.prod(shape)), dtype=tf.int64), shape)
    by_example = tf.reshape(number, [-1, *[1] * len(shape)])
    return tf.cast((37 * places[None] + 101 * by_example + 250) % 256, tf.uint8)


class EveryRank(Task):
    """Bytes of each rank, and beside them what is not packed."""

    def preprocess(self, inputs: Features) -> Features:
        number = inputs["number"]
        packed = {name: made(shape, number) for name, shape in SHAPES.items()}
        return packed | {"number": number + self.hparams.seed, "real": tf.cast(number, tf.float32) / 4}

    build_model = predict = metrics = preview = None  # type: ignore[assignment]


EveryRank.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


def test_bytes_of_any_rank_come_back_from_disk_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transform, "load", {"every_rank": EveryRank}.__getitem__)
    config = {"task": "every_rank", "hparams": {"seed": 7}}
    rows = [{"number": number} for number in range(COUNT)]
    files = write_transformed(
        lambda inputs: transform.preprocessing_fn(inputs, config), {"number": tf.int64}, rows, tmp_path
    )
    arrays = TransformedExamples(files, str(tmp_path / "graph"), EveryRank(HParams())).arrays()
    assert arrays.keys() == {*SHAPES, "number", "real"}
    for name, shape in SHAPES.items():
        assert arrays[name].dtype == np.uint8 and arrays[name].shape == (COUNT, *shape)
        assert np.array_equal(arrays[name], made(shape, tf.range(COUNT, dtype=tf.int64))), name
    assert arrays["number"].tolist() == [7, 8, 9, 10, 11], "with the hyper-parameter that the node was given"
    assert arrays["real"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_node_names_its_task_and_its_hyper_parameters() -> None:
    task = transform.task_from({"task": "image_classification", "hparams": {"image_size": 12}})
    assert isinstance(task, ImageClassification) and task.hparams.image_size == 12
    with pytest.raises(WrongUse, match="image_clasification"):
        transform.task_from({"task": "image_clasification", "hparams": {}})
