"""A residual network: features of any size of picture, blocks that begin as their shortcuts."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.networks import resnet


def test_features_are_of_the_whole_picture_and_a_block_begins_as_its_shortcut() -> None:
    picture = tf.keras.Input([64, 48, 3])
    model = tf.keras.Model(picture, resnet.resnet(picture, filters=4, blocks=2))
    assert model.output_shape == (None, 4 * 2 ** (resnet.STAGES - 1))
    x = tf.keras.Input([8, 8, 4])
    block = tf.keras.Model(x, resnet._block(x, 4, strides=1))
    given = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype(np.float32)
    assert np.allclose(block(given).numpy(), np.maximum(given, 0))
    halved = tf.keras.Model(x, resnet._block(x, 8, strides=2))
    assert halved.output_shape == (None, 4, 4, 8)
