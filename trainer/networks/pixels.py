"""Convolutional networks that answer with a picture, at any size: they predict what is to be added to a first guess.

Nothing in them depends on a picture's size, and each pixel of an answer on a known number of pixels around it only
(`reach`), so that a large picture may be answered in strips that overlap by so many (`trainer.features.strips`)
without a seam. Imports Keras; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue, ITU-R BT.601."""

SCALE = 2


class Luma(tf.keras.layers.Layer):
    """uint8 RGB `[batch, height, width, 3]` to luma `[batch, height, width, 1]`, -0.5 to 0.5."""

    def call(self, pictures: Any) -> Any:
        scaled = tf.cast(pictures, self.compute_dtype) / 255
        return tf.reduce_sum(scaled * tf.constant(LUMA, self.compute_dtype), axis=-1, keepdims=True) - 0.5


class SubPixel(tf.keras.layers.Layer):
    """`SCALE`² channels a pixel as one channel of `SCALE` times as many pixels each way (Shi et al. 2016)."""

    def call(self, channels: Any) -> Any:
        return tf.nn.depth_to_space(channels, SCALE)


class Bicubic(tf.keras.layers.Layer):
    """uint8 pictures `SCALE` times as wide and high by bicubic interpolation (a = -0.5): float32, 0 to 1."""

    def call(self, pictures: Any) -> Any:
        size = SCALE * tf.shape(pictures)[1:3]
        return tf.image.resize(tf.cast(pictures, tf.float32) / 255, size, method="bicubic")


def reach(blocks: int) -> int:
    """How far from a pixel of `edsr`'s input those lie that its answer there depends on."""
    return 2 + 2 * blocks


def edsr(filters: int, blocks: int) -> tuple[Any, Any]:
    """EDSR (Lim et al. 2017) on luma: residual blocks without normalisation, then a sub-pixel convolution.

    What it predicts is added to all three channels of the bicubic enlargement: it sharpens, and cannot tint. The last
    convolution begins at zero, and so the whole as bicubic interpolation.

    Returns:
      the input, uint8 `[batch, height, width, 3]`, and the output, float32 RGB, about 0 to 1, `SCALE` times as wide
      and high.
    """
    layers = tf.keras.layers
    small = tf.keras.Input([None, None, 3], dtype=tf.uint8)
    x = head = layers.Conv2D(filters, 3, padding="same")(Luma()(small))
    for _ in range(blocks):
        change = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, layers.Conv2D(filters, 3, padding="same")(change)])
    x = layers.Conv2D(SCALE**2, 3, padding="same", kernel_initializer="zeros")(layers.Add()([x, head]))
    change = layers.Activation("linear", dtype="float32")(SubPixel()(x))
    return small, layers.Add(dtype="float32")([Bicubic(dtype="float32")(small), change])


def luma_error(truth: Any, answer: Any) -> Any:
    """Mean absolute error of luma, `[batch]`: of uint8 RGB beside float RGB of 0 to 1."""
    difference = answer - tf.cast(truth, answer.dtype) / 255
    return tf.reduce_mean(tf.abs(tf.reduce_sum(difference * tf.constant(LUMA, answer.dtype), axis=-1)), axis=[1, 2])
