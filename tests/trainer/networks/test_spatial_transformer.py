"""Pictures seen through affine maps, and a layer that finds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.networks import spatial_transformer

IDENTITY = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def seen(picture: np.ndarray, rows: list[list[float]]) -> np.ndarray:
    return spatial_transformer.resample(tf.constant(picture[None], tf.float32), tf.constant([rows], tf.float32))[
        0
    ].numpy()


def test_the_identity_shows_the_picture_itself_and_a_mirror_its_mirror_image() -> None:
    picture = np.random.default_rng(0).random((5, 7, 3))
    np.testing.assert_allclose(seen(picture, IDENTITY), picture, atol=1e-5)
    np.testing.assert_allclose(seen(picture, [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), picture[:, ::-1], atol=1e-5)


def test_a_shift_by_a_pixel_fills_with_the_edge_and_half_a_pixel_is_a_mean() -> None:
    picture = np.arange(15.0).reshape(3, 5, 1)
    step = 2 / 4  # from one pixel of five to the next
    np.testing.assert_allclose(seen(picture, [[1.0, 0.0, step], [0.0, 1.0, 0.0]])[:, :4], picture[:, 1:], atol=1e-5)
    np.testing.assert_allclose(seen(picture, [[1.0, 0.0, step], [0.0, 1.0, 0.0]])[:, 4], picture[:, 4], atol=1e-5)
    half = seen(picture, [[1.0, 0.0, step / 2], [0.0, 1.0, 0.0]])
    np.testing.assert_allclose(half[:, :4], picture[:, :4] + 0.5, atol=1e-5)


def test_it_begins_as_the_identity_and_learns_to_undo_a_shift() -> None:
    tf.keras.utils.set_random_seed(0)
    layer = spatial_transformer.SpatialTransformer()
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    wanted = np.exp(-8 * (x**2 + y**2))[None, ..., None].astype(np.float32)
    given = np.exp(-8 * ((x - 0.15) ** 2 + y**2))[None, ..., None].astype(np.float32)
    batch = tf.constant(np.repeat(given, 4, axis=0))
    np.testing.assert_allclose(layer(batch)[0], given[0], atol=1e-5)
    optimizer = tf.keras.optimizers.Adam(0.02)
    optimizer.build(layer.trainable_variables)

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((layer(batch, training=True) - wanted) ** 2)
        optimizer.minimize(error, layer.trainable_variables, tape=tape)
        return error

    errors = [float(step()) for _ in range(40)]
    assert errors[-1] < 0.2 * errors[0]
