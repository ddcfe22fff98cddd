"""Patches cut from whole pictures, in the graph: what models learn from that answer at any size."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import images

_STEPS = (0.7548776662466927, 0.5698402909980532)
"""Additive recurrence R2 (Roberts 2018): points that cover a square evenly, however many are taken."""


def cut(encoded: Any, count: int, side: Any, border: int = 0) -> Any:
    """Cuts `count` square patches out of each picture, at places that cover it evenly and are always the same.

    For use in `preprocess`: what a patch is of is decided once, so that training decodes no whole picture.

    Args:
      encoded: string `[batch]`, PNG or JPEG.
      side: pixels, int or int32 scalar. Where a picture has fewer, its edge is repeated.
      border: pixels around each patch that are cut with it.

    Returns:
      uint8 `[batch, count, side + 2 border, side + 2 border, 3]`.
    """
    side = tf.convert_to_tensor(side, tf.int32)
    numbers = tf.range(1.0, count + 1.0)[:, None] * tf.constant(_STEPS)
    share = numbers - tf.floor(numbers)

    def one(data: Any) -> Any:
        picture = images.decode_whole(data)
        size = tf.shape(picture)[:2]
        room = tf.maximum(size - side, 0)
        corner = tf.cast(tf.floor(share * tf.cast(room + 1, tf.float32)), tf.int32)  # [count, 2]
        along = corner[:, :, None] + tf.range(-border, side + border)
        rows = tf.clip_by_value(along[:, 0], 0, size[0] - 1)
        columns = tf.clip_by_value(along[:, 1], 0, size[1] - 1)
        flat = tf.reshape(picture, [-1, 3])
        return tf.gather(flat, rows[:, :, None] * size[1] + columns[:, None, :])

    signature = tf.TensorSpec([count, None, None, 3], tf.uint8)
    return tf.map_fn(one, encoded, fn_output_signature=signature)


def drawn(patches: Any, seed: Any) -> Any:
    """One patch of each example, mirrored or turned by a quarter: for `Task.batch`. All of a batch alike are turned.

    Called with one seed for several stacks of patches it draws the same of each.

    Args:
      patches: `[batch, count, side, side, channels]`.
      seed: int64 `[2]`; None for the first patch of each, as it is.
    """
    if seed is None:
        return patches[:, 0]
    shape = tf.shape(patches)
    which = tf.random.stateless_uniform([shape[0]], seed, 0, shape[1], tf.int32)
    one_each = tf.gather(patches, which, batch_dims=1)
    down, across, turned = tf.unstack(tf.random.stateless_uniform([3], seed + 1) < 0.5)
    one_each = tf.cond(down, lambda: one_each[:, ::-1], lambda: one_each)
    one_each = tf.cond(across, lambda: one_each[:, :, ::-1], lambda: one_each)
    picked = tf.cond(turned, lambda: tf.transpose(one_each, [0, 2, 1, 3]), lambda: one_each)
    return tf.ensure_shape(picked, [patches.shape[0], *patches.shape[2:]])
