"""Where in a picture a convolutional classifier found its class: Grad-CAM (Selvaraju et al. 2017), in the graph."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf

OPACITY = 0.5
"""Of the heat map on its picture."""

COLOURS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
"""RGB from nothing to the most, evenly spaced: matplotlib's `inferno`, which also reads as light and dark."""


def heat(maps: Any, kernel: Any, classes: Any) -> Any:
    """Grad-CAM of a classifier that averages its last feature maps over the picture, and of these makes its logits.

    Of such a head the gradients that Grad-CAM weighs the maps with are known: the class's column of the kernel, divided
    by the number of places. So nothing is differentiated, and the graph can be saved and served.

    Args:
      maps: float `[batch, height, width, channels]`.
      kernel: float `[channels, classes]`, of the dense layer behind the average.
      classes: int `[batch]`, the class of each picture that is asked about.

    Returns:
      float32 `[batch, height, width]`, 0 to 1, 1 at the warmest place; all 0 where nothing speaks for the class.
    """
    weights = tf.gather(tf.cast(kernel, tf.float32), classes, axis=1, batch_dims=0)
    warmth = tf.nn.relu(tf.einsum("bhwc,cb->bhw", tf.cast(maps, tf.float32), weights))
    return tf.math.divide_no_nan(warmth, tf.reduce_max(warmth, axis=(1, 2), keepdims=True))


def overlay(pictures: Any, warmth: Any) -> Any:
    """Pictures, uint8 `[batch, height, width, 3]`, under the colours of `heat`, stretched smoothly over them."""
    size = tf.shape(pictures)[1:3]
    stretched = tf.image.resize(warmth[..., None], size, method="bicubic")[..., 0]
    position = tf.clip_by_value(stretched, 0.0, 1.0) * (len(COLOURS) - 1)
    below = tf.minimum(tf.cast(position, tf.int32), len(COLOURS) - 2)
    share = (position - tf.cast(below, tf.float32))[..., None]
    palette = tf.constant(COLOURS, tf.float32)
    colours = (1 - share) * tf.gather(palette, below) + share * tf.gather(palette, below + 1)
    mixed = (1 - OPACITY) * tf.cast(pictures, tf.float32) + OPACITY * colours
    return tf.ensure_shape(tf.cast(tf.round(mixed), tf.uint8), pictures.shape)
