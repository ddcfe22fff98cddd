"""The task's own parts: mirroring with the signs, the crop, senses that lack, side cameras, what a person is shown."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import encode_row
from trainer.backend import tf
from trainer.tasks.autonomous_driving import (
    UNKNOWN_SPEED,
    WAY_POINTS,
    AutonomousDriving,
    AutonomousDrivingHParams,
    mirror_image,
)

SIZE, BEAMS = 32, 32


def features(count: int = 64) -> dict[str, Any]:
    """Examples of which everything is on the left, and the way goes there."""
    camera = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    camera[:, :, : SIZE // 2] = 200
    lidar = np.full((count, BEAMS), 50.0, np.float32)
    lidar[:, : BEAMS // 2] = 2
    path = np.tile(np.array([-1.0, 5.0], np.float32), (count, WAY_POINTS))
    arrays = {
        "camera": camera,
        "lidar": lidar,
        "speed": np.ones((count, 2), np.float32),
        "steering": np.full(count, -0.5, np.float32),
        "throttle": np.full(count, 0.3, np.float32),
        "brake": np.full(count, np.nan, np.float32),
        "path": path,
    }
    return {name: tf.constant(value) for name, value in arrays.items()}


def task(**hparams: Any) -> AutonomousDriving:
    return AutonomousDriving(AutonomousDrivingHParams(**{"image_size": SIZE, "light": 0.0, **hparams}))


def test_a_mirror_image_changes_the_side_of_everything() -> None:
    given = features(2)
    mirrored = mirror_image(given)
    assert mirrored["camera"].numpy()[:, :, SIZE // 2 :].min() == 200
    assert mirrored["lidar"].numpy()[:, BEAMS // 2 :].max() == 2
    assert mirrored["steering"].numpy().tolist() == [0.5, 0.5]
    assert mirrored["path"].numpy().reshape(2, WAY_POINTS, 2)[0, 0].tolist() == [1.0, 5.0]
    assert np.array_equal(mirrored["throttle"], given["throttle"])
    again = mirror_image(mirrored)
    assert all(np.array_equal(again[name], given[name], equal_nan=True) for name in given)


def test_in_training_half_are_mirrored_as_a_whole() -> None:
    found = task(without=0.0).batch(features(), tf.constant([1, 2], tf.int64))
    steering, camera, lidar = (found[name].numpy() for name in ("steering", "camera", "lidar"))
    to_the_right = steering > 0
    assert 16 < to_the_right.sum() < 48
    assert np.array_equal(to_the_right, camera[:, 0, -1, 0] > 100)
    assert np.array_equal(to_the_right, lidar[:, -1, 0] > lidar[:, 0, 0])
    assert np.array_equal(to_the_right, found["path"].numpy()[:, 0] > 0)


def test_outside_training_nothing_is_random_and_targets_may_be_missing() -> None:
    asked = {name: value for name, value in features(2).items() if name in ("camera", "lidar", "speed")}
    one, two = (task().batch(dict(asked), None) for _ in range(2))
    assert set(one) == set(asked) and all(np.array_equal(one[name], two[name]) for name in asked)


@pytest.mark.parametrize(("top", "bottom", "rows"), [(0.0, 0.0, 32), (0.25, 0.25, 16), (0.5, 0.5, 8)])
def test_the_crop(top: float, bottom: float, rows: int) -> None:
    cut = task(crop_top=top, crop_bottom=bottom)
    for seed in (None, tf.constant([3, 4], tf.int64)):
        assert cut.batch(features(2), seed)["camera"].shape[1:] == (rows, SIZE, 3)


def test_a_lidar_that_was_off_is_told_from_one_that_found_nothing() -> None:
    off, nothing = np.zeros((1, BEAMS), np.float32), np.full((1, BEAMS), 200, np.float32)
    for sweep, heard in ((off, 0.0), (nothing, 1.0)):
        found = task().batch({**features(1), "lidar": tf.constant(sweep)}, None)["lidar"].numpy()
        assert found[0, :, 0].max() < 1e-3 and np.all(found[0, :, 1] == heard)


def test_some_examples_are_learnt_without_a_sense() -> None:
    found = task(without=1.0, mirror=False).batch(features(), tf.constant([1, 2], tf.int64))
    assert not found["lidar"].numpy().any() and not found["speed"].numpy().any()


def test_side_cameras_are_steered_back_to_the_middle() -> None:
    correction = task(side_camera_correction=0.2)._correction(tf.constant(["center", "left", "right", ""]))
    assert correction.numpy() == pytest.approx([0.0, 0.2, -0.2, 0.0])


def picture() -> bytes:
    stream = io.BytesIO()
    Pillow.new("RGB", (64, 48), (90, 90, 90)).save(stream, "PNG")
    return stream.getvalue()


def row(**values: Any) -> dict[str, Any]:
    given = {"camera": "a.png", "steering": 0.1, **values}
    return encode_row(AutonomousDriving.columns, given, lambda *_: picture())


def test_a_simulator_without_pedals_is_refused() -> None:
    assert not AutonomousDriving.refuse(row())
    assert not AutonomousDriving.refuse(row(simulator="car_racing", throttle=0.1, brake=0))
    reason = AutonomousDriving.refuse(row(simulator="car_racing", throttle=0.1))
    assert "without brake" in reason
    with pytest.raises(ValueError, match="unknown class 'carla'; known: car_racing"):
        row(simulator="carla")


def answer(**values: Any) -> dict[str, Any]:
    path = np.stack([np.zeros(WAY_POINTS), np.arange(5, 30, 5)], axis=1)
    return {"steering": -0.4, "throttle": 0.5, "brake": 0.0, "path": path, "from_above": True, **values}


def shown(example: dict[str, Any], prediction: dict[str, Any]) -> np.ndarray:
    [part] = task().preview(example, prediction).parts
    return np.asarray(part.content)


@pytest.mark.parametrize("from_above", [True, False])
def test_path_and_lidar_are_drawn_where_they_are(from_above: bool) -> None:
    example = row(lidar=[5.0] * BEAMS)
    bare = shown(row(), answer(path=np.zeros((0, 2)), from_above=from_above))
    drawn = shown(example, answer(from_above=from_above))
    changed = np.abs(drawn.astype(int) - bare).sum(axis=2) > 0
    assert changed.any()
    columns = np.nonzero(changed.any(axis=0))[0]
    assert (columns.min() > drawn.shape[1] / 2) == (not from_above)  # else on a plan in the corner


def test_a_preview_says_what_lacks_and_whether_the_steering_is_right() -> None:
    known = task().preview(row(steering=-0.45, lidar=[5.0] * BEAMS, speed=3, view="center"), answer())
    assert known.correct and known.slice == {"view": "center"} and "driver -0.45" in known.title
    asked = {name: value for name, value in row().items() if name != "steering"}
    unknown = task().preview(asked, answer(throttle=-1.0, brake=-1.0))
    assert unknown.correct is None and "without lidar and speed" in unknown.parts[0].caption
    assert asked["speed"] == UNKNOWN_SPEED
    assert task().preview(row(steering=0.4), answer()).correct is False


def test_the_table_leaves_out_what_was_never_learnt() -> None:
    whole = {**answer(), "path": answer()["path"].tolist()}
    assert list(task().answer_row({}, whole)) == ["steering", "throttle", "brake", "path, metres right and ahead"]
    assert list(task().answer_row({}, {**whole, "throttle": -1.0, "brake": -1.0, "path": []})) == ["steering"]
