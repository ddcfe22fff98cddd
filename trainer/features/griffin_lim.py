"""From a mel spectrogram back to a sound, inside the graph."""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf
from trainer.features.audio import MelScale

ROUNDS = 40
MOMENTUM = 0.99
"""Of the fast version (Perraudin et al. 2013)."""
INVERSION_ROUNDS = 30
SEED = 0, 0
LEAST = 1e-12


def linear_powers(decibels: Any, scale: MelScale) -> Any:
    """Powers that are not below 0 and whose mel bands are those of a spectrogram, by multiplicative updates (Lee &
    Seung 2000).

    Args:
      decibels: float32 `[..., frames, bands]`, of `audio.mel_decibels`.

    Returns:
      float32 `[..., frames, window // 2 + 1]`.
    """
    filters = tf.constant(scale.filters())
    wanted = 10.0 ** (decibels / 10)
    back = tf.tensordot(wanted, filters, [[-1], [1]])
    powers = back / (tf.reduce_sum(filters, 1) ** 2 + LEAST)
    for _ in range(INVERSION_ROUNDS):
        now = tf.tensordot(tf.tensordot(powers, filters, 1), filters, [[-1], [1]])
        powers *= back / (now + LEAST)
    return powers


def sounds(decibels: Any, scale: MelScale) -> Any:
    """A sound whose spectrogram is nearly this: phases that go with the magnitudes are sought in turns (Griffin & Lim
    1984), from random ones, always the same.

    Args:
      decibels: float32 `[batch, frames, bands]`, of `audio.mel_decibels` with the level kept.

    Returns:
      float32 `[batch, frames * hop]`.
    """
    magnitudes = tf.cast(tf.sqrt(linear_powers(decibels, scale)), tf.complex64)
    window, hop = scale.window, scale.hop
    backwards = tf.signal.inverse_stft_window_fn(hop)

    def heard(spectrum: Any) -> Any:
        return tf.signal.inverse_stft(spectrum, window, hop, window, backwards)

    def consistent(spectrum: Any) -> Any:
        return tf.signal.stft(heard(spectrum), window, hop, window)

    def turned(spectrum: Any) -> Any:
        """The magnitudes with the phases of a spectrum."""
        return magnitudes * tf.math.divide_no_nan(spectrum, tf.cast(tf.abs(spectrum), tf.complex64))

    def improved(number: Any, spectrum: Any, before: Any) -> tuple[Any, ...]:
        now = consistent(turned(spectrum))
        return number + 1, now + MOMENTUM * (now - before), now

    phases = tf.random.stateless_uniform(tf.shape(magnitudes), SEED, -math.pi, math.pi)
    first = tf.complex(tf.cos(phases), tf.sin(phases))
    shape = tf.TensorShape([None, None, window // 2 + 1])
    _, found, _ = tf.while_loop(
        lambda number, *_: number < ROUNDS,
        improved,
        (0, first, tf.zeros_like(magnitudes)),
        shape_invariants=(tf.TensorShape([]), shape, shape),
    )
    return heard(turned(found))[:, : tf.shape(decibels)[1] * hop]
