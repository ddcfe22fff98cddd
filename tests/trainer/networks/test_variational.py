"""The variational autoencoder: sizes, losses in nats, and learning that keeps its code in use."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import variational


@pytest.mark.parametrize("shape", [(28, 28, 1), (13, 18, 3), (5, 64, 3), (3, 3, 1)])
def test_pictures_of_any_size_come_back_at_their_size(shape: tuple[int, int, int]) -> None:
    model = variational.VariationalAutoencoder(shape, latent_size=4, filters=2, dense_units=8)
    picture = tf.zeros([2, *shape], tf.uint8)
    mean, log_variance = model.encoder(picture)
    assert mean.shape == log_variance.shape == (2, 4)
    assert model({"image": picture, "noise": tf.zeros([2, 4])}).shape == (2, *shape)


def test_the_divergence_of_a_standard_normal_code_is_nothing_and_else_as_integrated() -> None:
    found = variational.kl_divergence(tf.constant([[0.0, 0.0], [1.0, 0.0]]), tf.constant([[0.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(found, [0.0, 0.5 + 0.5 * (math.e - 2)], rtol=1e-6)


def test_nats_of_a_picture_are_the_normal_density_of_its_pixels() -> None:
    picture = tf.constant([[[[0], [255]]]], tf.uint8)
    found = variational.reconstruction_nats(picture, tf.constant([[[[0.5], [1.0]]]]), tf.math.log(0.5))
    density = [math.exp(-0.5 * (error / 0.5) ** 2) / (0.5 * math.sqrt(2 * math.pi)) for error in (0.5, 0.0)]
    np.testing.assert_allclose(found, [-math.log(density[0] * density[1])], rtol=1e-5)


def test_it_learns_what_tells_pictures_apart_and_both_losses_are_logged() -> None:
    tf.keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    bright = rng.integers(20, 235, (256, 1, 1, 1))
    pictures = (bright + rng.normal(0, 4, (256, 8, 8, 1))).clip(0, 255).astype(np.uint8)
    features = {"image": pictures, "noise": rng.normal(size=(256, 2)).astype(np.float32)}
    model = variational.VariationalAutoencoder((8, 8, 1), latent_size=2, filters=4, dense_units=8)
    model.compile(tf.keras.optimizers.Adam(1e-2))
    log = model.fit(features, {"label": np.zeros(256, np.int64)}, epochs=12, batch_size=32, verbose=0).history
    assert log["loss"][-1] == pytest.approx(log["reconstruction"][-1] + log["kl"][-1], rel=1e-4)
    assert log["loss"][-1] < log["loss"][0] - 20
    means = model.encoder(tf.constant(pictures))[0].numpy()
    assert max(abs(np.corrcoef(means[:, unit], bright.ravel())[0, 1]) for unit in range(2)) > 0.9


def test_codes_are_drawn_as_those_that_were_observed() -> None:
    rng = np.random.default_rng(0)
    spread = np.array([[2.0, 0.0], [1.5, 0.5]])
    density = variational.CodeDensity(2)
    for _ in range(300):
        density.observe(tf.constant(rng.normal(size=(256, 2)) @ spread.T + [3, -1], tf.float32))
    drawn = density.draw(tf.constant(rng.normal(size=(20_000, 2)), tf.float32)).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), [3, -1], atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), spread @ spread.T, rtol=0.1)
