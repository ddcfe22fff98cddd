"""Of what a model learnt from, its page shows each class, and first what the model gets wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.report.train_examples import EACH, MOST, UNSLICED, TrainExamples, takes_long
from tests.components.report.test_answers import Silent, Sliced, served  # noqa: F401 - a fixture
from trainer.backend import tf
from trainer.preview import Preview
from trainer.task import load

Served = tuple[Path, Path]
CLASSES = 20


class Judged(Sliced):
    """Each seventh example is answered wrongly."""

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        place, label = example["image"].decode(), example["label"].decode()
        return Preview(place, int(place) % 7 > 0, {"voice": place, "label": label}, ())


class Unsliced(Silent):
    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return Preview(example["image"].decode(), None, {}, ())


def split(root: Path, examples: int) -> Path:
    """Records in the order of their classes, as tables often are."""
    (root / "split").mkdir()
    with tf.io.TFRecordWriter(str(root / "split" / "data.gz"), tf.io.TFRecordOptions("GZIP")) as writer:
        for place in range(examples):
            example = tf.train.Example()
            example.features.feature["image"].bytes_list.value.append(b"%d" % place)
            example.features.feature["label"].bytes_list.value.append(b"%d" % (place * CLASSES // examples))
            writer.write(example.SerializeToString())
    return root / "split"


def shown(task: Any, folder: Path, served: Served, directory: Path) -> list[dict[str, Any]]:  # noqa: F811
    model = tf.saved_model.load(str(served[1]))
    return TrainExamples(task, folder, model).write_by_slice(directory)


def test_every_class_is_shown_and_wrong_answers_come_first(tmp_path: Path, served: Served) -> None:  # noqa: F811
    found = shown(Judged(None), split(tmp_path, 1000), served, tmp_path)
    classes = Counter(record["slice"]["label"] for record in found)
    assert len(found) == MOST and len(classes) == CLASSES and max(classes.values()) <= EACH
    correct = [record["correct"] for record in found]
    assert correct == sorted(correct) and 0 < correct.count(False) < MOST
    assert {record["split"] for record in found} == {"train"}
    assert len({record["example"] for record in found}) == MOST


def test_where_nothing_is_sliced_examples_are_spread_over_the_split(tmp_path: Path, served: Served) -> None:  # noqa: F811
    folder = split(tmp_path, 3000)
    first, again = ([record["title"] for record in shown(Unsliced(None), folder, served, tmp_path)] for _ in range(2))
    assert len(first) == UNSLICED and first == again
    assert min(map(int, first)) < 1000 < 2000 < max(map(int, first))


@pytest.mark.parametrize(
    ("task", "long"), [("image_classification", False), ("object_detection", False), ("speech_recognition", True)]
)
def test_tasks_whose_answers_take_long_are_not_asked_again(task: str, long: bool) -> None:
    assert takes_long(load(task)(None)) == long
