"""What recordings tell of a voice before any network learns: how its characters sound, and how long they last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features import audio
from trainer.networks import alignment

Array = np.ndarray[Any, Any]

ALIGNED_BY = 20
"""Cepstral coefficients that tell characters apart."""
LEAST_DEVIATION = 1e-3


@dataclass(frozen=True)
class Speaker:
    """What is known of a voice before a network learns: how its characters sound.

    Attributes:
      centre, spread: float32 `[bands]`, mean and deviation of the decibels.
      cepstral_centre, cepstral_spread: float32 `[ALIGNED_BY]`, the same of cepstra.
      voice: of `alignment`, on cepstra of mean 0 and deviation 1. Its last symbol is the silence around a text.
      spectra: float32 `[symbols, bands]` in decibels, the mean spectrum of each symbol.
      frames: float32 `[symbols]`, how long each lasts on average.
    """

    centre: Array
    spread: Array
    cepstral_centre: Array
    cepstral_spread: Array
    voice: alignment.Voice
    spectra: Array
    frames: Array

    def say(self, text: Array) -> tuple[Array, Array]:
        """Each character of a text by its mean spectrum for as long as it lasts on average: the method that a network
        is compared with.

        Args:
          text: int64 `[characters]`.

        Returns:
          Decibels float32 `[frames, bands]`, and how many frames each place lasts, int32 `[characters + 2]`.
        """
        silence = len(self.spectra) - 1
        symbols = np.array([silence, *text, silence])
        logs = np.log(self.frames[symbols])[None]
        lasting = whole_frames(tf.constant(logs), tf.ones(logs.shape, tf.bool), 1.0).numpy()[0]
        return self.spectra[np.repeat(symbols, lasting)], lasting

    def aligned(self, text: Array, decibels: Array) -> Array:
        """How many frames each place of a text lasts in a recording of it, decibels float32 `[frames, bands]`: int32
        `[characters + 2]`."""
        symbols, count = (one.numpy() for one in places(tf.constant(text[None]), len(self.spectra) - 1))
        cepstra = audio.mfcc(tf.constant(decibels[None]), ALIGNED_BY).numpy()
        standard = (cepstra - self.cepstral_centre) / self.cepstral_spread
        return alignment.aligned(self.voice, standard, np.array([len(decibels)]), symbols, count)[0]


def places(text: Any, silence: int) -> tuple[Any, Any]:
    """A text with the silence before and after it.

    Args:
      text: int64 `[batch, longest]`, symbols padded with -1.

    Returns:
      int64 `[batch, longest + 2]`, padded with -1, and how many there are, int64 `[batch]`.
    """
    count = tf.reduce_sum(tf.cast(text >= 0, tf.int64), 1) + 2
    inside = tf.pad(text, [[0, 0], [1, 1]], constant_values=-1)
    place = tf.range(tf.shape(inside, tf.int64)[1])[None]
    is_silence = (place == 0) | (place == count[:, None] - 1)
    return tf.where(is_silence, tf.constant(silence, tf.int64), inside), count


def speaker_of(decibels: Array, frames: Array, text: Array, symbols: int) -> Speaker:
    """What recordings and their texts tell of a voice.

    Args:
      decibels: float32 `[recordings, longest, bands]`.
      frames: int64 `[recordings]`.
      text: int64 `[recordings, most]`, padded with -1.
      symbols: characters that there are; the silence is one more.
    """
    cepstra = audio.mfcc(tf.constant(decibels), ALIGNED_BY).numpy()
    within = np.arange(decibels.shape[1]) < frames[:, None]
    heard, heard_cepstra = decibels[within], cepstra[within]
    centre, spread = heard.mean(0), np.maximum(heard.std(0), LEAST_DEVIATION)
    cepstral_centre = heard_cepstra.mean(0)
    cepstral_spread = np.maximum(heard_cepstra.std(0), LEAST_DEVIATION)
    spoken, count = (one.numpy() for one in places(tf.constant(text), symbols))
    standard = (cepstra - cepstral_centre) / cepstral_spread
    voice, lasting = alignment.learnt(standard, frames, spoken, count, symbols + 1)
    spectra = alignment.gaussians(decibels, frames, spoken, lasting, symbols + 1).mean
    said = np.bincount(spoken[spoken >= 0], minlength=symbols + 1)
    total = np.bincount(spoken[spoken >= 0], lasting[spoken >= 0], symbols + 1)
    each = np.where(said > 0, total / np.maximum(said, 1), total.sum() / said.sum())
    return Speaker(
        centre.astype(np.float32),
        spread.astype(np.float32),
        cepstral_centre.astype(np.float32),
        cepstral_spread.astype(np.float32),
        voice,
        spectra,
        each.astype(np.float32),
    )


def whole_frames(logs: Any, there: Any, rate: Any) -> Any:
    """Frames int32 `[batch, places]` of their logarithms, at a `rate` times as fast. What rounding takes of one place
    the next ones get, so that a text lasts as long as its places together."""
    each = tf.maximum(tf.exp(logs) / rate, 1.0) * tf.cast(there, tf.float32)
    ends = tf.cast(tf.round(tf.cumsum(each, 1)), tf.int32)
    return ends - tf.pad(ends[:, :-1], [[0, 0], [1, 0]])
