"""How bright a picture is as a whole, which no small part of it tells."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import images

SHARES = tuple((2 * n + 1) / 18 for n in range(9))
COUNT = 3 * len(SHARES)


def tones(picture: Any) -> Any:
    """The value below which each of `SHARES` of a picture's pixels lie, for red, green and blue.

    Args:
      picture: uint8 `[height, width, 3]`.

    Returns:
      float32 `[COUNT]`, 0 to 1.
    """
    pixels = tf.cast(tf.reshape(picture, [-1, 3]), tf.int32)
    counts = tf.transpose(tf.math.bincount(tf.transpose(pixels), minlength=256, maxlength=256, axis=-1))  # [256, 3]
    below = tf.cumsum(tf.cast(counts, tf.float32) / tf.cast(tf.shape(pixels)[0], tf.float32))
    wanted = tf.constant(SHARES)[:, None, None]
    return tf.reshape(tf.reduce_sum(tf.cast(below < wanted, tf.float32), axis=1) / 255, [COUNT])


def of_encoded(encoded: Any) -> Any:
    """Of each of a batch of encoded pictures, float32 `[batch, COUNT]`: for `preprocess`."""
    signature = tf.TensorSpec([COUNT], tf.float32)
    return tf.map_fn(lambda data: tones(images.decode_whole(data)), encoded, fn_output_signature=signature)
