"""The task's own parts: mirrored boxes, padded predictions in words, the reference, what people see."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from trainer.backend import tf
from trainer.preview import Box
from trainer.task import DataSpec
from trainer.tasks.object_detection import SHOWN_SCORE, ObjectDetection, ObjectDetectionHParams

PADDING = (0.0, 0.0, 0.0, 0.0, -1.0)


@pytest.fixture(scope="module")
def task() -> ObjectDetection:
    return ObjectDetection(ObjectDetectionHParams(filters=2, image_size=32))


def spec() -> DataSpec:
    features = {"image": tf.TensorSpec((32, 32, 3), tf.uint8), "size": tf.TensorSpec((2,), tf.int64)}
    return DataSpec(features, {"label": ["cup", "spoon"]}, num_train_examples=8, steps=10, train=dict)


def test_a_mirrored_picture_has_mirrored_boxes(task: ObjectDetection) -> None:
    count, height, width = 32, 6, 8
    image = np.zeros((count, height, width, 3), np.uint8)
    image[:, 1:3, 1:4] = 255
    box = np.array([10.0, 10.0, 40.0, 30.0, 0.0], np.float32)  # the same in a picture ten times as large
    features = {
        "image": tf.constant(image),
        "size": tf.constant([[60, 80]] * count, tf.int64),
        "objects": tf.constant(np.tile(np.stack([box, PADDING]), (count, 1, 1)), tf.float32),
    }
    augmented = task.batch(features, tf.constant([1, 2], tf.int64))
    mirrored = ~(augmented["image"].numpy() == image).all(axis=(1, 2, 3))
    assert 4 < mirrored.sum() < 28
    for picture, objects in zip(augmented["image"].numpy(), augmented["objects"].numpy(), strict=True):
        xmin, ymin, xmax, ymax, label = objects[0]
        left, top, right, bottom = (round(side / 10) for side in (xmin, ymin, xmax, ymax))
        assert (picture[top:bottom, left:right] == 255).all()
        assert picture.sum() == 255 * 3 * 6
        assert label == 0
        assert objects[1, 0] == objects[1, 2], "padding stays without area"


def test_predictions_are_named_and_padding_has_no_name(task: ObjectDetection) -> None:
    def model(inputs: Any, training: bool) -> Any:
        return tf.constant([[[10.0, 20.0, 30.0, 60.0, 1.0, 0.9], [*PADDING, 0.0]]])

    features = {"image": tf.zeros([1, 32, 32, 3], tf.uint8), "size": tf.constant([[100, 100]], tf.int64)}
    prediction = task.predict(model, features, spec())
    assert prediction["boxes"].numpy().tolist() == [[[10, 20, 20, 40], [0, 0, 0, 0]]]
    assert prediction["labels"].numpy().tolist() == [[b"spoon", b""]]
    assert prediction["count"].numpy().tolist() == [1]


def test_an_untrained_model_answers_for_any_batch(task: ObjectDetection) -> None:
    model = task.build_model(spec())
    features = {"image": tf.zeros([3, 32, 32, 3], tf.uint8), "size": tf.constant([[64, 32]] * 3, tf.int64)}
    prediction = task.predict(model, features, spec())
    assert {name: value.shape[0] for name, value in prediction.items()} == dict.fromkeys(prediction, 3)


def test_the_reference_finds_what_looks_alike(task: ObjectDetection) -> None:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 30, (12, 48, 48, 3), np.uint8)
    objects = np.tile(np.array([PADDING], np.float32), (12, 2, 1))
    for picture, rows in zip(image, objects, strict=True):
        x, y = generator.integers(2, 20, 2)
        picture[y : y + 16, x : x + 24] = 230
        rows[0] = 2 * x, 2 * y, 2 * (x + 24), 2 * (y + 16), 0  # pictures came twice as large
    arrays = {"image": image, "objects": objects, "size": np.full((12, 2), 96)}
    [(method, scores)] = task.reference(arrays, arrays, spec()).items()
    assert method == "template match"
    assert scores["map_50"] > 0.8


def test_people_see_true_boxes_dashed_and_likely_ones_drawn(task: ObjectDetection) -> None:
    buffer = io.BytesIO()
    Pillow.new("RGB", (100, 80)).save(buffer, "PNG")
    prediction = {
        "boxes": np.array([[10, 20, 20, 40], [1, 1, 5, 5], [0, 0, 0, 0]]),
        "labels": np.array([b"spoon", b"cup", b""], object),
        "scores": np.array([0.9, 0.2, 0.0]),
    }
    example = {"image": buffer.getvalue(), "objects": [11.0, 21.0, 20.0, 40.0], "objects_label": [b"spoon"]}
    preview = task.preview(example, prediction)
    [picture] = preview.parts
    assert preview.title == "spoon" and preview.correct is True
    assert picture.boxes == [Box(11, 21, 31, 61, "spoon", truth=True), Box(10, 20, 30, 60, "spoon 0.90")]
    served = task.preview({"image": buffer.getvalue()}, prediction)
    assert served.correct is None and len(served.parts[0].boxes) == 1


def test_precision_is_seen_by_recall(task: ObjectDetection) -> None:
    example = {"objects": [10.0, 20.0, 20.0, 40.0, 60.0, 0.0, 9.0, 9.0], "objects_label": [b"spoon", b"cup"]}
    prediction = {
        "boxes": np.array([[10, 20, 20, 40], [0, 0, 5, 5], [0, 0, 0, 0]], np.float32),
        "labels": np.array([b"spoon", b"cup", b""]),
        "scores": np.array([0.9, 0.8, 0.0], np.float32),
    }
    [preview] = task.overview([example], [prediction])
    [curve] = preview.parts
    assert preview.correct is None and curve.x_label == "recall in percent"
    assert [len(values) for values in curve.series.values()] == [101, 101]
    assert curve.series["overlap 0.50"][[0, 100]] == pytest.approx([0.5, 0.5])  # the spoon was found, the cup was not
    assert task.overview([{"objects": [], "objects_label": []}], [prediction]) == []


def test_the_table_lists_what_is_drawn_with_its_boxes(task: ObjectDetection) -> None:
    answer = {
        "boxes": [[12.2, 3.0, 40.6, 20.0], [0.0, 0.0, 9.0, 9.0], [0.0, 0.0, 0.0, 0.0]],
        "labels": ["cup", "spoon", ""],
        "scores": [0.93, 0.49, 0.0],
        "count": 2,
        "detections": [[12.2, 3.0, 52.8, 23.0, 0.0, 0.93]],
    }
    assert task.answer_row({}, answer) == {"found": 1, "objects [x, y, width, height]": "cup 0.93 [12, 3, 41, 20]"}


def test_the_report_draws_precision_of_each_class_the_worst_first(task: ObjectDetection) -> None:
    example = {"objects": [10.0, 20.0, 20.0, 40.0, 60.0, 0.0, 9.0, 9.0], "objects_label": [b"spoon", b"cup"]}
    prediction = {
        "boxes": np.array([[10, 20, 20, 40], [0, 0, 5, 5], [0, 0, 0, 0]], np.float32),
        "labels": np.array([b"spoon", b"cup", b""]),
        "scores": np.array([0.9, 0.8, 0.0], np.float32),
    }
    [plot] = task.plots([example], [prediction])
    assert list(plot["series"]) == ["cup, average 0.0000", "spoon, average 1.0000"]
    assert plot["series"]["spoon, average 1.0000"][-1] == [1.0, 1.0] and json.dumps(plot, allow_nan=False)
    assert not task.plots([{"objects": [], "objects_label": []}], [prediction])


def test_what_is_not_shown_is_no_false_alarm() -> None:
    from trainer.metrics.detection import SURE

    assert SURE == SHOWN_SCORE
