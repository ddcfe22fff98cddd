"""The task's own parts: what is done to training pictures, and the three surest classes."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.task import DataSpec
from trainer.tasks.image_recognition import ImageRecognition, ImageRecognitionHParams

CLASSES = ["cat", "dog", "owl", "yak"]


def task(**hparams: object) -> ImageRecognition:
    return ImageRecognition(ImageRecognitionHParams(filters=2, image_size=32, **hparams))  # type: ignore[arg-type]


def spec() -> DataSpec:
    features = {"image": tf.TensorSpec((32, 32, 3), tf.uint8)}
    return DataSpec(features, {"label": CLASSES}, num_train_examples=8, steps=10, train=dict)


@pytest.mark.parametrize("mirror", [True, False])
def test_training_pictures_change_and_are_mirrored_only_where_they_may_be(mirror: bool) -> None:
    image = np.zeros((32, 32, 32, 3), np.uint8)
    image[:, :, 20:] = 200
    features = {"image": tf.constant(image), "label": tf.zeros([32], tf.int64)}
    plain = task(mirror=mirror, light=0.0, shift=0.0)
    changed = plain.batch(features, tf.constant([3, 4], tf.int64))["image"].numpy()
    assert (changed[:, :, 0, 0] > 0).any() == mirror
    moved = task(mirror=False).batch(features, tf.constant([3, 4], tf.int64))["image"].numpy()
    assert len({one.tobytes() for one in moved}) == 32
    assert plain.batch(features, None) is features


def test_an_answer_has_the_probability_of_each_class() -> None:
    made = task()
    answer = made.predict(made.build_model(spec()), {"image": tf.zeros([2, 32, 32, 3], tf.uint8)}, spec())
    assert answer["probabilities"].numpy().sum(axis=1) == pytest.approx([1, 1])
    assert answer["labels"].numpy().tolist() == 2 * [[name.encode() for name in CLASSES]]


def test_right_is_also_told_among_three() -> None:
    [first, top, *_] = made.metrics if (made := task().metrics()) else ()
    assert (first.name, top.name, top.config) == ("accuracy", "top_3_accuracy", {"k": 3})
    assert [gate.metric for gate in made.gates] == ["accuracy"]


def test_the_reference_is_of_the_same_pictures() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(24) % 2
    image = rng.integers(0, 40, (24, 32, 32, 3), np.uint8)
    for picture, which in zip(image, label, strict=True):
        picture[8:24:4] = 250 * which
        picture[:, 8:24:4] = 250 * (1 - which)
    arrays = {"image": image, "label": label}
    [(_, scores)] = task().reference(arrays, arrays, spec()).items()
    assert scores["accuracy"] == 1.0
    assert task().reference({"image": image, "label": 0 * label}, arrays, spec()) == {}
