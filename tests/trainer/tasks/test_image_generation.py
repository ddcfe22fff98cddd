"""The task's own parts: what is answered with and without a picture, and what people see of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import NO_PICTURE
from trainer.backend import tf
from trainer.task import DataSpec
from trainer.tasks.image_generation import STEPS, ImageGeneration, ImageGenerationHParams

SHAPE = (8, 6, 3)
SPEC = DataSpec(
    features={"image": tf.TensorSpec(SHAPE, tf.uint8)}, vocabularies={}, num_train_examples=8, steps=10, train=dict
)


@pytest.fixture(scope="module")
def task() -> ImageGeneration:
    return ImageGeneration(ImageGenerationHParams(filters=2, latent_size=4, dense_units=8))


@pytest.fixture(scope="module")
def answers(task: ImageGeneration) -> dict[str, np.ndarray]:
    """Of a picture alone, of one with another to go towards, and of none."""
    pictures = np.random.default_rng(0).integers(0, 255, (3, *SHAPE), np.uint8)
    features = {
        "image": tf.constant(pictures),
        "towards": tf.constant(pictures[::-1]),
        "has_image": tf.constant([1, 1, 0], tf.int64),
        "has_towards": tf.constant([0, 1, 0], tf.int64),
        "seed": tf.constant([7, 7, 8], tf.int64),
    }
    model = task.build_model(SPEC)
    return {name: out.numpy() for name, out in task.predict(model, task.batch(features, None), SPEC).items()}


def pixels(png: bytes) -> np.ndarray:
    with Pillow.open(io.BytesIO(png)) as picture:
        return np.asarray(picture)


def test_a_new_picture_follows_from_the_seed_alone(answers: dict[str, np.ndarray]) -> None:
    assert answers["image"].shape == (3, *SHAPE) and answers["image"].dtype == np.uint8
    assert np.array_equal(answers["image"][0], answers["image"][1])
    assert not np.array_equal(answers["image"][0], answers["image"][2])


def test_the_way_leads_from_the_reconstruction_to_the_seeds_picture_or_the_other_one(
    answers: dict[str, np.ndarray],
) -> None:
    alone, with_other = (pixels(way) for way in answers["interpolation_bytes"][:2])
    assert alone.shape == (SHAPE[0], STEPS * SHAPE[1], 3)
    width = SHAPE[1]
    for way, reconstruction in zip((alone, with_other), answers["reconstruction_bytes"], strict=False):
        np.testing.assert_allclose(way[:, :width], pixels(reconstruction), atol=1)
    np.testing.assert_allclose(alone[:, -width:], answers["image"][0], atol=1)
    assert not np.array_equal(with_other[:, -width:], answers["image"][1])


def test_without_a_picture_there_is_none_to_reconstruct(task: ImageGeneration, answers: dict[str, Any]) -> None:
    assert answers["reconstruction_bytes"][2] == answers["interpolation_bytes"][2] == b""
    row = {name: value[2] for name, value in answers.items()}
    preview = task.preview({"seed": 8, "image": NO_PICTURE}, row)
    assert preview.title == "seed 8" and len(preview.parts) == 1


def test_a_preview_shows_given_reconstructed_new_and_the_way(task: ImageGeneration, answers: dict[str, Any]) -> None:
    row = {name: value[0] for name, value in answers.items()}
    preview = task.preview({"seed": 7, "image": NO_PICTURE}, row)
    assert [part.caption.partition(",")[0] for part in preview.parts] == [
        *("given", "reconstructed", "new"),
        "on the way from one to the other",
    ]


def test_the_table_tells_of_the_reconstruction_where_there_is_one(task: ImageGeneration) -> None:
    answer = {"psnr": 20.5, "kl": 3.0, "code": [0.1] * 4}
    assert list(task.answer_row({"image": b"a picture"}, answer).values()) == [20.5]
    assert task.answer_row({"image": NO_PICTURE}, answer) == {}


def test_noise_is_drawn_anew_in_training_and_the_records_own_otherwise(task: ImageGeneration) -> None:
    features = {"seed": tf.constant([1, 2], tf.int64)}
    first, second = (task.batch(features, tf.constant([step, 0], tf.int64))["noise"].numpy() for step in (1, 2))
    assert first.shape == (2, 4) and not np.array_equal(first, second)
    own, again = (task.batch(features, None)["noise"].numpy() for _ in range(2))
    assert np.array_equal(own, again)


def test_the_reference_scores_what_the_gates_compare(task: ImageGeneration) -> None:
    def judge(pictures: Any) -> dict[str, np.ndarray]:
        means = pictures.numpy().mean(axis=(1, 2))
        return {"features": means, "probabilities": means}

    train = {"image": np.random.default_rng(0).integers(90, 110, (50, *SHAPE), np.uint8)}
    [(method, scores)] = task.reference(train, train, DataSpec(**{**vars(SPEC), "judge": judge})).items()
    assert method == "4 principal components"
    compared = {gate.metric for gate in task.metrics().gates if gate.reference_margin is not None}
    assert compared <= scores.keys()
