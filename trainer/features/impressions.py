"""What a picture is like as a whole, which no small part of it tells: how bright it is and how grainy, in numbers."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import images

SIDE = 48
"""Of a `sample`: rows, and columns."""

SHARES = tuple((2 * n + 1) / 18 for n in range(9))
"""Of pixels, of which `impressions` says below which value they lie."""

GRAINS = (0.25, 0.75, 1.5, 3.0, 6.0, 12.0, 24.0, 48.0)
"""Grey levels; how much of a picture's finest detail is weaker tells its noise from its blur."""

COUNT = 3 * len(SHARES) + len(GRAINS)


def sample(picture: Any) -> Any:
    """Pixels of uint8 `[height, width, 3]` at the crossings of an even grid, as they are: uint8 `[SIDE, SIDE, 3]`."""
    size = tf.cast(tf.shape(picture)[:2], tf.float32)
    at = (tf.range(SIDE, dtype=tf.float32) + 0.5) / SIDE
    rows, columns = (tf.cast(at * size[axis], tf.int32) for axis in (0, 1))
    return tf.gather(tf.gather(picture, rows), columns, axis=1)


def samples(encoded: Any) -> Any:
    """Of each of a batch of encoded pictures, uint8 `[batch, SIDE, SIDE, 3]`: for `preprocess`."""
    signature = tf.TensorSpec([SIDE, SIDE, 3], tf.uint8)
    return tf.map_fn(lambda data: sample(images.decode_whole(data)), encoded, fn_output_signature=signature)


def part(sampled: Any, seed: Any) -> Any:
    """A rectangle of each `sample` of a batch, half to all of each side, that differs by step, so that a picture cannot
    be known by its tones: for `Task.batch`. All of it if `seed` is None."""
    if seed is None:
        return sampled
    side = tf.random.stateless_uniform([], seed, SIDE // 2, SIDE + 1, tf.int32)
    top, left = tf.unstack(tf.random.stateless_uniform([2], seed + 1, 0, SIDE - side + 1, tf.int32))
    return sampled[:, top : top + side, left : left + side]


def impressions(sampled: Any, pictures: Any) -> Any:
    """Tones and grain of pictures.

    Args:
      sampled: uint8 `[batch, rows, columns, 3]`, of the whole pictures.
      pictures: uint8 `[batch, height, width, 3]`, these or patches of them.

    Returns:
      float32 `[batch, COUNT]`, 0 to 1: the value below which each of `SHARES` lies, for red, green and blue, and the
      shares of diagonal details of Haar's wavelet below `GRAINS`.
    """
    pixels = tf.sort(tf.reshape(tf.cast(sampled, tf.float32), [tf.shape(sampled)[0], -1, 3]), axis=1)
    count = tf.cast(tf.shape(pixels)[1], tf.float32)
    tones = tf.gather(pixels, tf.cast(tf.constant(SHARES) * count, tf.int32), axis=1) / 255
    return tf.concat([tf.reshape(tones, [-1, 3 * len(SHARES)]), _grain(tf.cast(pictures, tf.float32))], axis=1)


def _grain(pictures: Any) -> Any:
    height, width = (2 * (tf.shape(pictures)[axis] // 2) for axis in (1, 2))
    upper, lower = pictures[:, 0:height:2, :width], pictures[:, 1:height:2, :width]
    details = tf.abs(upper[:, :, 0::2] - upper[:, :, 1::2] - lower[:, :, 0::2] + lower[:, :, 1::2]) / 2
    count = tf.cast(tf.maximum(tf.reduce_prod(tf.shape(details)[1:]), 1), tf.float32)
    weaker = [tf.reduce_sum(tf.cast(details < grain, tf.float32), axis=[1, 2, 3]) / count for grain in GRAINS]
    return tf.stack(weaker, axis=1)
