"""The head learnt on frozen features, what stays frozen afterwards, and what a person is shown; made-up weights."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from trainer.backend import tf
from trainer.networks import efficientnet
from trainer.preview import Bars, Picture
from trainer.task import Arrays, DataSpec
from trainer.tasks import transfer_learning
from trainer.tasks.transfer_learning import TransferLearning, TransferLearningHParams

SIDE, CLASSES = 64, ("blue", "green", "red")


def coloured(count: int, seed: int, labels: Any = None) -> Arrays:
    """Pictures of noise with a square of the class's colour somewhere."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES) if labels is None else np.asarray(labels)
    pictures = rng.integers(0, 80, (count, SIDE, SIDE, 3), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        y, x = rng.integers(0, SIDE - 36, 2)
        picture[y : y + 36, x : x + 36] = 0
        picture[y : y + 36, x : x + 36, 2 - label] = 230
    return {"image": pictures, "label": labels.astype(np.int64)}


def accuracy(model: Any, arrays: Arrays) -> float:
    return float(np.mean(np.argmax(model({"image": arrays["image"]}), axis=-1) == arrays["label"]))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "own.npz"
    tf.keras.utils.set_random_seed(1)
    np.savez(file, **efficientnet.tensors_of(efficientnet.efficientnet_lite0(None)))
    return file


@pytest.fixture(scope="module")
def task() -> TransferLearning:
    return TransferLearning(TransferLearningHParams(image_size=SIDE))


def spec_of(train: Arrays, weights: Path | None) -> DataSpec:
    return DataSpec(
        {"image": tf.TensorSpec([SIDE, SIDE, 3], tf.uint8)},
        {"label": list(CLASSES)},
        len(train["label"]),
        20,
        train=lambda limit=None: {name: values[:limit] for name, values in train.items()},
        assets={"backbone": weights},
    )


@pytest.fixture(scope="module")
def spec(weights: Path) -> DataSpec:
    return spec_of(coloured(96, seed=0), weights)


@pytest.fixture(scope="module")
def model(task: TransferLearning, spec: DataSpec) -> Any:
    tf.keras.utils.set_random_seed(0)
    return task.build_model(spec)


def test_it_begins_with_a_head_that_knows_the_classes_by_frozen_features(model: Any) -> None:
    assert accuracy(model, coloured(30, seed=1)) > 0.8


def test_all_but_normalisations_learn_when_it_is_unfrozen(task: TransferLearning, spec: DataSpec) -> None:
    model = task.build_model(spec)
    before = {weight.name: weight.numpy() for weight in model.weights}
    train = coloured(16, seed=2)
    model.fit({"image": train["image"]}, {"label": train["label"]}, batch_size=8, verbose=0)
    changed = {weight.name for weight in model.weights if np.any(weight.numpy() != before[weight.name])}
    assert {"stem_conv/kernel:0", "head_conv/kernel:0", "classes/kernel:0"} <= changed
    assert not any("_bn/" in name for name in changed)


def test_without_weights_it_begins_knowing_nothing_and_learns_at_another_rate(task: TransferLearning) -> None:
    train = coloured(48, seed=0)
    tf.keras.utils.set_random_seed(0)
    scratch = task.build_model(spec_of(train, weights=None))
    first = scratch.evaluate({"image": train["image"]}, {"label": train["label"]}, verbose=0, return_dict=True)
    assert abs(first["loss"] - math.log(len(CLASSES))) < 0.7
    assert float(scratch.optimizer.learning_rate) == pytest.approx(task.hparams.scratch_rate)
    assert scratch.get_layer("stem_bn").trainable, "its normalisations have all to learn"


def test_a_class_that_the_frozen_part_has_not_seen_is_the_least_likely(
    task: TransferLearning, weights: Path, model: Any
) -> None:
    two = coloured(48, seed=3, labels=np.arange(48) % 2 * 2)
    head = transfer_learning._head_on_frozen(_backbone_of(model), two, len(CLASSES))
    assert head[0].shape == (1280, 3) and not head[0][:, 1].any() and head[1].argmin() == 1
    model_of_two = task.build_model(spec_of(two, weights))
    assert accuracy(model_of_two, coloured(30, seed=4, labels=np.arange(30) % 2 * 2)) > 0.75


def _backbone_of(model: Any) -> Any:
    return tf.keras.Model(model.input["image"], model.get_layer("head_activation").output)


def test_pictures_change_in_training_only(task: TransferLearning) -> None:
    features = {name: tf.constant(values) for name, values in coloured(6, seed=5).items()}
    assert task.batch(features, None) is features
    first, second = (task.batch(features, tf.constant([0, n], tf.int64))["image"].numpy() for n in (1, 2))
    assert first.shape == features["image"].shape and first.dtype == np.uint8
    assert not np.array_equal(first, second) and not np.array_equal(first, features["image"])


def test_an_answer_shows_where_it_looked_in_the_shape_of_the_picture(
    task: TransferLearning, model: Any, spec: DataSpec
) -> None:
    answer = task.predict(model, {"image": tf.constant(coloured(2, seed=6)["image"])}, spec)
    assert answer["heat_map"].dtype == tf.uint8 and answer["heat_map"].shape == (2, SIDE, SIDE, 3)
    buffer = io.BytesIO()
    Pillow.new("RGB", (300, 100)).save(buffer, "PNG")
    one = {name: value[0].numpy() for name, value in answer.items()}
    preview = task.preview({"image": buffer.getvalue(), "label": b"red"}, one)
    picture, seen, bars = preview.parts
    assert isinstance(picture, Picture) and isinstance(seen, Picture) and isinstance(bars, Bars)
    assert seen.caption == "where it looked" and np.asarray(seen.content).shape == (round(SIDE / 3), SIDE, 3)


def test_the_references_learn_the_same_pictures(weights: Path) -> None:
    quick = TransferLearning(TransferLearningHParams(image_size=SIDE, epochs=1, min_steps=3))
    train, evaluated = coloured(32, seed=7), coloured(12, seed=8)
    found = quick.reference(train, evaluated, spec_of(train, weights))
    assert set(found) == {"the same network from scratch", "HOG and logistic regression"}
    assert all(0 <= scores["accuracy"] <= 1 for scores in found.values())


def test_a_table_of_answers_names_the_five_most_likely(task: TransferLearning) -> None:
    answer = {"label": "a", "probabilities": dict.fromkeys("abcdefgh", 0.1)}
    assert task.answer_row({}, answer)["probabilities"].count("%") == 5
