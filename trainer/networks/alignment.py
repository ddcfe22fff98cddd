"""Which stretch of a recording is which character, learnt from recordings and their texts alone.

The characters of a text follow each other, each for at least one frame. Each symbol is a Gaussian with a diagonal
covariance; its mean and variance, and the alignments, are found in turn from equal shares of each recording (Viterbi
training of a hidden Markov model: Juang & Rabiner 1990), as forced aligners begin. No pronunciations are needed.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from trainer.backend import tf

Array = np.ndarray[Any, Any]

ROUNDS = 8
"""Of alignment and new Gaussians."""
AT_ONCE = 64
"""Recordings that are aligned together."""
LEAST_DEVIATION = 0.3
"""Of a symbol, of features whose deviation over all frames is 1: one of few frames seems surer than it is."""
IMPOSSIBLE = -1e9


class Voice(NamedTuple):
    """The Gaussian of each symbol: `mean` and `deviation`, float32 `[symbols, width]`."""

    mean: Array
    deviation: Array


def scores(features: Any, mean: Any, deviation: Any, symbols: Any) -> Any:
    """The logarithm of the density of each frame for each place of the text, constants aside.

    Args:
      features: float32 `[batch, frames, width]`.
      mean, deviation: of a `Voice`.
      symbols: int64 `[batch, places]`; what is below 0 is padding.

    Returns:
      float32 `[batch, frames, places]`.
    """
    precision = 1.0 / deviation**2
    squares = tf.tensordot(features**2, tf.transpose(precision), 1) - 2 * tf.tensordot(
        features, tf.transpose(mean * precision), 1
    )
    constant = tf.reduce_sum(mean**2 * precision, 1) + 2 * tf.reduce_sum(tf.math.log(deviation), 1)
    found = -0.5 * (squares + constant)
    # As a product, since gathering along the last axis is slow.
    return tf.matmul(found, tf.one_hot(symbols, tf.shape(mean)[0]), transpose_b=True)


def durations(scores: Any, places: Any, frames: Any) -> Any:
    """How many frames each place of the text lasts on the best path (Viterbi 1967).

    A path begins in the first place, ends in the last, and goes on to the next or stays with each frame. Where there
    are fewer frames than places no path does; the first places then last 0 frames.

    Args:
      scores: float32 `[batch, longest, places]`.
      places, frames: int `[batch]`, how many of them count.

    Returns:
      int32 `[batch, places]`, which add up to `frames`; 0 for padding.
    """
    shape = tf.shape(scores)
    batch, longest, most = shape[0], shape[1], shape[2]
    places, frames = tf.cast(places, tf.int32), tf.cast(frames, tf.int32)
    by_frame = tf.transpose(scores, [1, 0, 2])
    first = tf.where(tf.range(most) == 0, by_frame[0], IMPOSSIBLE)
    moves = tf.TensorArray(tf.bool, longest, element_shape=[None, None])

    def forward(frame: Any, best: Any, moves: Any) -> tuple[Any, ...]:
        before = tf.pad(best[:, :-1], [[0, 0], [1, 0]], constant_values=IMPOSSIBLE)
        moved = before > best
        return frame + 1, tf.where(moved, before, best) + by_frame[frame], moves.write(frame, moved)

    _, _, moves = tf.while_loop(
        lambda frame, *_: frame < longest, forward, (1, first, moves.write(0, tf.zeros([batch, most], tf.bool)))
    )
    rows = tf.range(batch)
    path = tf.TensorArray(tf.int32, longest, element_shape=[None])

    def backward(frame: Any, place: Any, path: Any) -> tuple[Any, ...]:
        counts = frame < frames
        moved = tf.gather_nd(moves.read(frame), tf.stack([rows, place], 1)) & counts
        return frame - 1, place - tf.cast(moved, tf.int32), path.write(frame, tf.where(counts, place, -1))

    _, _, path = tf.while_loop(lambda frame, *_: frame >= 0, backward, (longest - 1, tf.maximum(places - 1, 0), path))
    return tf.reduce_sum(tf.one_hot(path.stack(), most, dtype=tf.int32), 0)


def learnt(features: Array, frames: Array, symbols: Array, places: Array, count: int) -> tuple[Voice, Array]:
    """The Gaussian of each symbol, and the durations of the places by these.

    Args:
      features: float32 `[recordings, longest, width]`, each of deviation 1.
      frames: int `[recordings]`.
      symbols: int `[recordings, most]`, padded with -1.
      places: int `[recordings]`.
      count: symbols that there are. One that does not occur gets the mean of all.

    Returns:
      The Gaussians, and int32 `[recordings, most]`.
    """
    order = np.argsort(frames, kind="stable")  # recordings of about one length together, so that little is padding
    parts = [order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE)]
    found = equal_shares(frames, places, symbols.shape[1])
    voice = gaussians(features, frames, symbols, found, count)
    for _ in range(ROUNDS):
        for part in parts:
            longest, most = frames[part].max(), places[part].max()
            given = (features[part, :longest], frames[part], symbols[part, :most], places[part])
            found[part, :most] = aligned(voice, *given)
        voice = gaussians(features, frames, symbols, found, count)
    return voice, found


def aligned(voice: Voice, features: Array, frames: Array, symbols: Array, places: Array) -> Array:
    """The durations of the places of recordings in memory; arguments and result as in `learnt`."""
    given = (features.astype(np.float32), *voice, symbols, places, frames)
    return np.asarray(_compiled()(*(tf.constant(one) for one in given)).numpy())


@functools.cache
def _compiled() -> Any:
    @tf.function(reduce_retracing=True)
    def align(features: Any, mean: Any, deviation: Any, symbols: Any, places: Any, frames: Any) -> Any:
        return durations(scores(features, mean, deviation, symbols), places, frames)

    return align


def equal_shares(frames: Array, places: Array, most: int) -> Array:
    """Durations, int32 `[recordings, most]`, of places that share out the frames of their recordings."""
    place = np.arange(most + 1)
    ends = np.minimum(place, places[:, None]) * frames[:, None] // np.maximum(places, 1)[:, None]
    return np.diff(ends, axis=1).astype(np.int32)


def gaussians(features: Array, frames: Array, symbols: Array, durations: Array, count: int) -> Voice:
    """Mean and deviation of the frames of each symbol."""
    total, sums, squares = np.zeros(count), *np.zeros((2, count, features.shape[-1]))
    for recording, length, symbol, lasting in zip(features, frames, symbols, durations, strict=True):
        of = np.repeat(symbol, lasting)
        seen = recording[:length].astype(np.float64)
        total += np.bincount(of, minlength=count)
        one_hot = np.equal.outer(np.arange(count), of).astype(np.float64)
        sums += one_hot @ seen
        squares += one_hot @ seen**2
    everywhere = sums.sum(0) / total.sum()
    mean = np.where(total[:, None] > 0, sums / np.maximum(total, 1)[:, None], everywhere)
    variance = squares / np.maximum(total, 1)[:, None] - mean**2
    deviation = np.where(total[:, None] > 0, np.sqrt(np.maximum(variance, LEAST_DEVIATION**2)), 1.0)
    return Voice(mean.astype(np.float32), deviation.astype(np.float32))
