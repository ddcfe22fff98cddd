"""Boxes in the graph: anchors, overlap, coding, and which box is to learn from which true one.

A box is (ymin, xmin, ymax, xmax), float32, as shares of the picture's height and width. One without area is padding: it
overlaps nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.backend import tf

ASPECTS = (0.5, 1.0, 2.0)
"""Height by width of anchors, in pixels (Ren et al. 2015)."""

SCALE = (10.0, 10.0, 5.0, 5.0)
"""Offsets of centre and size are multiplied by this, so that they vary about as much as class logits do."""

MAX_LOG_SIZE = math.log(1000 / 16)
"""A decoded box is at most so many times as high or wide as its anchor: an untrained model must not overflow."""


def anchors(height: int, width: int, stride: int) -> np.ndarray:
    """Boxes of all sizes and aspects around the centre of each cell of a feature map, float32 `[cells * k, 4]`.

    Sides are two strides and its doubles, up to the picture's longer side, for each of `ASPECTS`. Anchors of one cell
    lie together, and cells row by row. `height` and `width` of the picture, pixels, are multiples of `stride`.
    """
    doublings = range(int(math.log2(max(height, width, 2 * stride) / (2 * stride))) + 1)
    sizes = np.array(
        [
            (2 * stride * 2**i * math.sqrt(aspect), 2 * stride * 2**i / math.sqrt(aspect))
            for i in doublings
            for aspect in ASPECTS
        ]
    )
    y, x = (stride * (np.arange(side // stride) + 0.5) for side in (height, width))
    centres = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)[:, :, None]
    pixels = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=-1).reshape(-1, 4)
    return (pixels / [height, width, height, width]).astype(np.float32)


def as_shares(objects: Any, sizes: Any) -> Any:
    """(xmin, ymin, xmax, ymax, class) in pixels `[batch, n, 5]` to (ymin, xmin, ymax, xmax, class), boxes as shares.

    `sizes`: height and width of each picture, `[batch, 2]`.
    """
    sizes = tf.cast(sizes, tf.float32)[:, None]
    corners = tf.gather(objects, [1, 0, 3, 2], axis=-1) / tf.concat([sizes, sizes], axis=-1)
    return tf.concat([corners, objects[..., 4:]], axis=-1)


def as_pixels(objects: Any, sizes: Any) -> Any:
    """The inverse of `as_shares`. What stands behind the four sides stays as it is."""
    sizes = tf.cast(sizes, tf.float32)[:, None]
    corners = tf.gather(objects[..., :4] * tf.concat([sizes, sizes], axis=-1), [1, 0, 3, 2], axis=-1)
    return tf.concat([corners, objects[..., 4:]], axis=-1)


def areas(boxes: Any) -> Any:
    """`[..., 4]` to `[...]`; 0 for what is turned inside out."""
    sides = tf.maximum(boxes[..., 2:] - boxes[..., :2], 0.0)
    return sides[..., 0] * sides[..., 1]


def iou(a: Any, b: Any) -> Any:
    """Intersection over union of each of `a` `[..., n, 4]` with each of `b` `[..., m, 4]`: `[..., n, m]`."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    sides = tf.maximum(tf.minimum(a[..., 2:], b[..., 2:]) - tf.maximum(a[..., :2], b[..., :2]), 0.0)
    shared = sides[..., 0] * sides[..., 1]
    return tf.math.divide_no_nan(shared, areas(a) + areas(b) - shared)


def encode(boxes: Any, anchors: Any) -> Any:
    """Where boxes lie as seen from anchors, both `[..., 4]` and with area: scaled offsets of centre and log size."""
    centre, size = _centre_and_size(boxes)
    from_centre, from_size = _centre_and_size(anchors)
    offsets = tf.concat([(centre - from_centre) / from_size, tf.math.log(size / from_size)], axis=-1)
    return offsets * tf.constant(SCALE)


def decode(offsets: Any, anchors: Any) -> Any:
    """The inverse of `encode`, within the picture."""
    offsets = offsets / tf.constant(SCALE)
    from_centre, from_size = _centre_and_size(anchors)
    centre = from_centre + offsets[..., :2] * from_size
    half = tf.exp(tf.minimum(offsets[..., 2:], MAX_LOG_SIZE)) * from_size / 2
    return tf.clip_by_value(tf.concat([centre - half, centre + half], axis=-1), 0.0, 1.0)


def _centre_and_size(boxes: Any) -> tuple[Any, Any]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return (low + high) / 2, tf.maximum(high - low, 1e-6)


def best_match(overlaps: Any) -> tuple[Any, Any]:
    """From `[batch, candidates, truths]`: which truth each candidate overlaps most, and how much."""
    return tf.argmax(overlaps, axis=-1, output_type=tf.int32), tf.reduce_max(overlaps, axis=-1)


def is_best_for_a_truth(overlaps: Any) -> Any:
    """From `[batch, candidates, truths]`: candidates that no other one surpasses at some truth, bool."""
    best = tf.reduce_max(overlaps, axis=1, keepdims=True)
    return tf.reduce_any((overlaps == best) & (best > 0.0), axis=-1)


def sample(positive: Any, negative: Any, count: int, max_positive: int, seed: Any) -> tuple[Any, Any]:
    """A random choice of `count` candidates of each picture, so that the many negatives do not drown the positives.

    Args:
      positive: bool `[batch, candidates]`, of which at most `max_positive` are taken.
      negative: bool `[batch, candidates]`, which fill the rest.
      seed: int64 `[2]`.

    Returns:
      Indices, int32 `[batch, count]`, and which of them count, bool `[batch, count]`: there may be too few candidates.
    """
    luck = tf.random.stateless_uniform(tf.shape(positive), seed)
    last = tf.math.top_k(tf.where(positive, luck, -1.0), max_positive).values[:, -1:]
    positive &= luck >= last
    ranks, indices = tf.math.top_k(tf.where(positive, 1.0 + luck, tf.where(negative, luck, -1.0)), count)
    return indices, ranks >= 0.0
