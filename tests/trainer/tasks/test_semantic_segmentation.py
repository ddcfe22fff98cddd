"""The task's own parts: windows in training alone, answers at a picture's own size, the references, what people see."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.media.palettes import VOID
from trainer.backend import tf
from trainer.metrics import pixels
from trainer.preview import Bars, Masks
from trainer.task import DataSpec
from trainer.tasks.semantic_segmentation import SemanticSegmentation, SemanticSegmentationHParams

VOCABULARY = ["background (0)", "cat (12)"]


@pytest.fixture(scope="module")
def task() -> SemanticSegmentation:
    return SemanticSegmentation(SemanticSegmentationHParams(filters=2, depth=2, crop_size=18))


def spec() -> DataSpec:
    features = {"image": tf.TensorSpec((None, None, 3), tf.uint8), "size": tf.TensorSpec((2,), tf.int64)}
    return DataSpec(features, {"label": VOCABULARY}, num_train_examples=8, steps=10, train=dict)


def png(numbers: Any) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(np.asarray(numbers, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def right_half_is_bright(inputs: Any, training: bool) -> Any:
    """A model that says cat where a pixel is bright."""
    bright = tf.cast(inputs["image"], tf.float32)[..., :1] - 127.5
    return tf.concat([-bright, bright], axis=-1)


def test_training_sees_windows_and_everything_else_whole_canvases(task: SemanticSegmentation) -> None:
    features = {"image": tf.zeros([3, 32, 16, 3], tf.uint8), "mask": tf.zeros([3, 32, 16], tf.uint8)}
    trained = task.batch(features, tf.constant([1, 2], tf.int64))
    assert trained["image"].shape == (3, 20, 16, 3) and trained["mask"].shape == (3, 20, 16)
    assert task.batch(features, None) is features


@pytest.mark.parametrize("size", [(20, 40), (10, 20), (7, 3), (100, 200), (300, 1500)])
def test_an_answer_is_as_large_as_its_picture_and_under_the_user_s_numbers(
    task: SemanticSegmentation, size: tuple[int, int]
) -> None:
    """Bright is the right half of what a canvas of 20 x 40 shows of the picture; beside it is nothing."""
    height, width = size
    scale = min(20 / height, 40 / width)
    canvas = np.zeros((1, 20, 40, 3), np.uint8)
    shown = max(1, round(width * scale))
    canvas[:, :, shown // 2 : shown] = 255
    features = {"image": tf.constant(canvas), "size": tf.constant([size], tf.int64)}
    answer = task.predict(right_half_is_bright, features, spec())
    mask = pixels.decoded(answer["mask_bytes"].numpy())
    assert mask.shape == size and set(np.unique(mask)) == {0, 12}
    assert np.mean(mask[:, : width // 2] == 12) < 0.2 and np.mean(mask[:, -(width // 2) :] == 12) > 0.7
    assert answer["shares"].numpy()[0] == pytest.approx([np.mean(mask == 0), np.mean(mask == 12)])
    assert answer["labels"].numpy().tolist() == [[b"background", b"cat"]]


def test_pictures_of_several_sizes_are_answered_in_one_batch(task: SemanticSegmentation) -> None:
    model = task.build_model(spec())
    features = {"image": tf.zeros([3, 8, 16, 3], tf.uint8), "size": tf.constant([[64, 32], [5, 5], [8, 16]], tf.int64)}
    answer = task.predict(model, features, spec())
    assert [pixels.decoded(one).shape for one in answer["mask_bytes"].numpy()] == [(64, 32), (5, 5), (8, 16)]


def test_the_reference_learns_what_colour_tells_and_leaves_out_void(task: SemanticSegmentation) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (6, 12, 16, 3), np.uint8)
    mask = (image[..., 0] > 128).astype(np.uint8)
    mask[:, :2] = VOID
    arrays = {"image": image, "mask": mask}
    scores = task.reference(arrays, arrays, spec())
    assert scores["logistic regression"]["mean_iou"] > 0.9
    assert scores["most frequent class"]["pixel_accuracy"] == pytest.approx(
        max(np.mean(mask[:, 2:] == c) for c in (0, 1))
    )
    mask[:, 2:] = 1
    assert set(task.reference(arrays, arrays, spec())) == {"most frequent class"}


def answered() -> tuple[dict[str, Any], dict[str, Any]]:
    truth, answer = np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint8)
    truth[:, 3:], answer[:, 4:] = 12, 12
    example = {
        "image": png(np.zeros((4, 6, 3))),
        "mask": png(truth),
        "mask_numbers": [0, 12],
        "mask_classes": [b"background", b"cat"],
    }
    prediction = {
        "mask_bytes": png(answer),
        "shares": np.array([4 / 6, 2 / 6]),
        "labels": np.array([b"background", b"cat"]),
        "numbers": np.array([0, 12]),
    }
    return example, prediction


def test_a_person_sees_both_masks_the_shares_and_how_well_each_class_fits(task: SemanticSegmentation) -> None:
    example, prediction = answered()
    shown = task.preview(example, prediction)
    answer, truth, shares = shown.parts
    assert isinstance(answer, Masks) and isinstance(truth, Masks) and isinstance(shares, Bars)
    assert (truth.mask == 12).sum() == 12
    assert answer.names == truth.names == {0: "background", 12: "cat"}
    assert shares.values == pytest.approx({"background": 4 / 6, "cat": 2 / 6})
    assert shown.correct and "0.71" in shown.title  # (12 / 16 + 8 / 12) / 2
    [overview] = task.overview([example], [prediction])
    assert overview.parts[0].values == pytest.approx({"background": 12 / 16, "cat": 8 / 12})  # type: ignore[attr-defined]
    [histogram] = task.plots([example], [prediction])
    assert sum(histogram["series"]["pictures"]) == 1
    del example["mask"]
    assert task.preview(example, prediction).correct is None


def test_a_table_lists_the_shares(task: SemanticSegmentation) -> None:
    answer = {"labels": ["background", "cat"], "shares": [0.3, 0.7]}
    assert task.answer_row({}, answer) == {"shares": "cat 70.0%, background 30.0%"}
