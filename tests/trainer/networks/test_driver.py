"""Answers are learnt where their targets are known, and begin at their means."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer import health
from trainer.backend import tf

NAN = math.nan
FEATURES = {
    "camera": tf.TensorSpec([32, 40, 3], tf.uint8),
    "lidar": tf.TensorSpec([8, 2], tf.float32),
    "speed": tf.TensorSpec([2], tf.float32),
}
TARGETS = {
    "steering": np.array([0.1, 0.3], np.float32),
    "throttle": np.array([NAN, NAN], np.float32),
    "path": np.array([[0, 5, 0, 10], [NAN] * 4], np.float32),
}


@pytest.fixture(scope="module", params=[True, False], ids=["with lidar", "camera alone"])
def model(request: pytest.FixtureRequest) -> tf.keras.Model:
    from trainer.networks.driver import driver

    weights = {"steering": 1.0, "throttle": 1.0, "path": 0.5}
    return driver(FEATURES, TARGETS, weights, filters=2, units=4, dropout=0.0, has_lidar=request.param)


def test_no_layer_is_dead_where_nobody_has_a_lidar(model: tf.keras.Model) -> None:
    """A branch that is given nothing but 0 would be, and its training would be refused."""
    rng = np.random.default_rng(0)
    has_lidar = any(isinstance(layer, tf.keras.layers.Conv1D) for layer in model.layers)
    given = {
        "camera": tf.constant(rng.integers(0, 256, (16, 32, 40, 3)), tf.uint8),
        "lidar": tf.constant(has_lidar * rng.random((16, 8, 2)), tf.float32),
        "speed": tf.zeros([16, 2]),
    }
    assert health.look(model, given, {"steering": tf.zeros([16])}) == ""


def test_answers_have_their_targets_shapes_and_say_what_was_learnt(model: tf.keras.Model) -> None:
    given = {name: tf.zeros([3, *spec.shape], spec.dtype) for name, spec in FEATURES.items()}
    found = model(given, training=False)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "steering": (3,),
        "throttle": (3,),
        "path": (3, 4),
    }
    assert model.learnt == {"steering", "path"}


def test_the_error_is_of_what_is_known() -> None:
    from trainer.networks.driver import known_error

    answer = tf.Variable([1.0, 1.0, 1.0])
    with tf.GradientTape() as tape:
        error = known_error(tf.constant([0.0, NAN, 3.0]), answer)
    assert float(error) == pytest.approx(1.5)
    assert tape.gradient(error, answer).numpy().tolist() == [0.5, 0.0, -0.5]
    assert float(known_error(tf.constant([NAN]), tf.constant([2.0]))) == 0.0


def test_further_targets_are_left_alone(model: tf.keras.Model) -> None:
    targets = {name: tf.constant(value) for name, value in TARGETS.items()} | {"other": tf.zeros([2])}
    answers = {name: tf.zeros(value.shape) for name, value in TARGETS.items()}
    weights = model.weights_of
    expected = 0.2 * weights["steering"] + 3.75 * weights["path"]
    assert float(model.compute_loss(y=targets, y_pred=answers)) == pytest.approx(expected, rel=1e-5)
