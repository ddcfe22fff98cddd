"""How near synthetic speech is to a recording."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features.audio import envelope
from trainer.metrics.synthesis import DurationError, MelCepstralDistortion, score

BANDS = 40


def cepstra(decibels: np.ndarray, padding: int = 0) -> np.ndarray:
    found = envelope(tf.constant(decibels.astype(np.float32)), 13).numpy()
    return np.concatenate([found, np.full((padding, 13), np.nan, np.float32)])


def test_the_distortion_is_kubichek_s_of_cepstra_of_logarithmic_amplitudes() -> None:
    rng = np.random.default_rng(2)
    spoken, recorded = rng.normal(size=(2, 1, BANDS))
    place = (np.arange(BANDS) + 0.5) / BANDS * math.pi
    order = np.arange(1, 14)[:, None]

    def coefficients(decibels: np.ndarray) -> np.ndarray:
        """c of ln |H(w)| = c0 + sum c cos(m w), by the nepers of an amplitude."""
        return 2 / BANDS * np.cos(order * place) @ (decibels[0] * math.log(10) / 20)

    away = ((coefficients(spoken) - coefficients(recorded)) ** 2).sum()
    kubichek = 10 / math.log(10) * math.sqrt(2 * away)
    found = score(MelCepstralDistortion, [{"cepstra": cepstra(spoken, 3), "recorded_cepstra": cepstra(recorded)}])
    assert found == pytest.approx(kubichek, rel=1e-4)


def test_neither_pace_nor_loudness_counts_in_the_distortion() -> None:
    decibels = np.cumsum(np.random.default_rng(3).normal(size=(7, BANDS)), 0)
    slower = np.repeat(decibels, [1, 2, 1, 3, 1, 1, 2], 0) + 6.0
    found = score(MelCepstralDistortion, [{"cepstra": cepstra(decibels), "recorded_cepstra": cepstra(slower, 2)}])
    assert found == pytest.approx(0.0, abs=1e-2)


def test_the_duration_error_is_in_milliseconds_a_character() -> None:
    one = {"lasting": np.array([0.1, 0.05, 0.0]), "recorded_lasting": np.array([0.08, 0.06, 0.0])}
    other = {"lasting": np.array([0.1]), "recorded_lasting": np.array([0.1])}
    assert score(DurationError, [one, other]) == pytest.approx(10.0)
