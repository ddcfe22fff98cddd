"""What convolutions make of shapes and scales, and the networks of sounds that are built of them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.convolutions import as_picture, convolved
from trainer.networks.crnn import crnn
from trainer.networks.keyword_cnn import keyword_cnn


@pytest.mark.parametrize(("size", "strides", "sides"), [(3, 1, (7, 10)), (5, 2, (4, 5)), (1, 1, (7, 10))])
def test_a_convolution_keeps_the_sides_or_halves_them(size: int, strides: int, sides: tuple[int, int]) -> None:
    picture = tf.keras.Input([7, 10, 3])
    assert convolved(picture, 4, size, strides).shape == (None, *sides, 4)


def test_each_number_of_a_sound_is_normalised_by_itself() -> None:
    window = tf.keras.Input([20, 3])
    model = tf.keras.Model(window, as_picture(window))
    sounds = np.random.default_rng(0).normal([5, -40, 0], [1, 20, 300], (16, 20, 3)).astype(np.float32)
    picture = np.asarray(model(sounds, training=True))
    assert picture.shape == (16, 20, 3, 1)
    assert picture.mean(axis=(0, 1, 3)) == pytest.approx([0] * 3, abs=1e-3)
    assert picture.std(axis=(0, 1, 3)) == pytest.approx([1] * 3, abs=1e-2)


def test_networks_of_sounds_give_vectors_and_learn_with_all_weights() -> None:
    window = tf.keras.Input([26, 13])
    sounds = np.random.default_rng(0).normal(size=(4, 26, 13)).astype(np.float32)
    for made, units in ((keyword_cnn(window, 2), 16), (crnn(window, 2, 3, ((2, 2), (1, 2))), 12)):
        model = tf.keras.Model(window, made)
        with tf.GradientTape() as tape:
            vectors = model(sounds, training=True)
            loss = tf.reduce_sum(vectors**2)
        assert vectors.shape == (4, units)
        assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_variables))
