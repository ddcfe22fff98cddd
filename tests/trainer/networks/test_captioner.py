"""The captioner: that it reads a whole caption and one token after the other alike, and learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features.texts import END, NUM_SPECIAL, PAD, START
from trainer.networks.captioner import Captioner

SIZE, WORDS = 16, 5


@pytest.fixture
def model() -> Any:
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    picture = tf.keras.Input([None, None, 3])
    network = tf.keras.Model(picture, layers.Conv2D(8, 3, 8, "same")(layers.Rescaling(1 / 255)(picture)))
    return Captioner(network, SIZE, NUM_SPECIAL + WORDS, units=16, layers=2, heads=4, dropout=0.0, label_smoothing=0.0)


def pictures(count: int) -> Any:
    pixels = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    for number in range(count):
        pixels[number, :, :, number % 3] = 255
    return tf.constant(pixels)


def test_token_by_token_it_says_what_it_says_of_the_whole(model: Any) -> None:
    image, given = pictures(2), tf.constant([[START, 4, 5, 6], [START, 8, 4, 7]], tf.int64)
    whole = model({"image": image, "given": given})
    encoded = model.encode(image, max_steps=6)
    for step in range(given.shape[1]):
        logits, encoded = model.decode(given[:, step : step + 1], encoded)
        np.testing.assert_allclose(logits[:, 0], whole[:, step], atol=1e-4)


def test_what_follows_a_token_does_not_change_what_is_said_after_it(model: Any) -> None:
    image = pictures(1)
    one, other = (model({"image": image, "given": tf.constant([[START, 4, last]], tf.int64)}) for last in (5, 6))
    np.testing.assert_allclose(one[:, :2], other[:, :2], atol=1e-5)
    assert not np.allclose(one[:, 2], other[:, 2])


def test_it_learns_to_tell_colours_apart_and_writes_them_by_beam_search(model: Any) -> None:
    model.compile(tf.keras.optimizers.Adam(0.01))
    captions = tf.constant([[4, 5], [6, PAD], [7, 8]], tf.int64)
    data = tf.data.Dataset.from_tensors(({"image": pictures(3)}, {"captions": captions})).repeat(150)
    losses = model.fit(data, verbose=0).history["loss"]
    assert losses[-1] < 1
    tokens, log_probability = model.search(model.encode(pictures(3), 5), 3, 5, 0.6)
    found = [[token for token in row if token != END] for row in tokens.numpy().tolist()]
    assert found == [[4, 5], [6], [7, 8]]
    assert (log_probability.numpy() < 0).all()


def test_a_frozen_encoder_stays_as_it_is(model: Any) -> None:
    model.network.trainable = False
    model.compile(tf.keras.optimizers.Adam(0.01))
    before = [weight.copy() for weight in model.network.get_weights()]
    data = tf.data.Dataset.from_tensors(({"image": pictures(1)}, {"captions": tf.constant([[4]], tf.int64)}))
    model.fit(data, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.network.get_weights(), strict=True))
