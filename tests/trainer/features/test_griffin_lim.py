"""From a mel spectrogram back to a sound."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.features import griffin_lim
from trainer.features.audio import MelScale, mel_decibels

SCALE = MelScale(8000, 40, 400, 100)


def voiced(seconds: float, hertz: float, loudness: float) -> np.ndarray:
    """Harmonics, softer the higher they are."""
    time = np.arange(round(seconds * SCALE.rate)) / SCALE.rate
    harmonics = np.arange(1, 20)
    waves = np.sin(2 * np.pi * hertz * harmonics[:, None] * time) / harmonics[:, None]
    return (loudness * waves.sum(0)).astype(np.float32)


def test_a_sound_has_the_spectrogram_that_it_is_made_of_and_its_level() -> None:
    samples = np.concatenate([voiced(0.3, 120, 0.2), voiced(0.3, 180, 0.02)])
    wanted = mel_decibels(tf.constant(samples), SCALE, keeps_level=True)[:-4]
    made = griffin_lim.sounds(wanted[None], SCALE).numpy()
    assert made.shape == (1, len(wanted) * SCALE.hop) and np.isfinite(made).all()
    again = mel_decibels(tf.constant(made[0]), SCALE, keeps_level=True)[: len(wanted) - 4]
    loud = wanted[: len(again)] > tf.reduce_max(wanted) - 40
    assert np.abs((again - wanted[: len(again)])[loud]).mean() < 1.5
    loudness = [np.sqrt(np.mean(part**2)) for part in (made[0, 400:2000], made[0, 2800:4000])]
    assert 6 < loudness[0] / loudness[1] < 16


def test_sounds_of_a_batch_are_made_alone_and_the_same_each_time() -> None:
    decibels = tf.random.stateless_uniform([2, 12, SCALE.bands], [1, 2], -40.0, 0.0)
    together = griffin_lim.sounds(decibels, SCALE).numpy()
    np.testing.assert_array_equal(together, griffin_lim.sounds(decibels, SCALE).numpy())
    assert not np.allclose(together[0], together[1])


def test_powers_are_not_negative_and_have_the_bands_that_were_wanted() -> None:
    decibels = mel_decibels(tf.constant(voiced(0.1, 150, 0.2)), SCALE, keeps_level=True)
    powers = griffin_lim.linear_powers(decibels, SCALE)
    assert float(tf.reduce_min(powers)) >= 0
    bands = 10 * np.log10((powers @ SCALE.filters()).numpy() + 1e-10)
    loud = decibels.numpy() > decibels.numpy().max() - 40
    assert np.abs(bands - decibels.numpy())[loud].mean() < 1.0
