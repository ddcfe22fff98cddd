"""The heat map is Grad-CAM as it is defined, by gradients, and lies where it should on the picture."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.networks import class_activation


def test_it_is_grad_cam_as_gradients_give_it() -> None:
    rng = np.random.default_rng(0)
    maps = tf.constant(rng.random((3, 4, 5, 6)), tf.float32)
    kernel = tf.constant(rng.normal(size=(6, 7)), tf.float32)
    classes = tf.constant([2, 6, 0])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits = tf.gather(tf.reduce_mean(maps, axis=(1, 2)) @ kernel, classes, axis=1, batch_dims=1)
    weights = tf.reduce_mean(tape.gradient(logits, maps), axis=(1, 2))
    expected = tf.nn.relu(tf.einsum("bhwc,bc->bhw", maps, weights)).numpy()
    expected /= expected.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(class_activation.heat(maps, kernel, classes), expected, rtol=1e-4, atol=1e-6)


def test_where_nothing_speaks_for_the_class_there_is_no_heat() -> None:
    found = class_activation.heat(tf.ones([1, 2, 2, 3]), -tf.ones([3, 2]), tf.constant([1]))
    np.testing.assert_array_equal(found, np.zeros((1, 2, 2)))


def test_the_picture_is_brightest_where_it_is_warmest() -> None:
    pictures = tf.fill([1, 40, 60, 3], tf.constant(100, tf.uint8))
    warmth = np.zeros((1, 4, 6), np.float32)
    warmth[0, 1, 4] = 1.0
    found = class_activation.overlay(pictures, tf.constant(warmth)).numpy()[0].astype(int)
    assert found.shape == (40, 60, 3)
    y, x = np.unravel_index(found.sum(-1).argmax(), (40, 60))
    assert abs(y - 15) <= 2 and abs(x - 45) <= 2
    assert np.abs(found[35, 5] - [50, 50, 52]).max() <= 1, "half of the picture, half of the coldest colour"
