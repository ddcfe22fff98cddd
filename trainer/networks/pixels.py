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


FOLD = 2
"""`restorer` works on squares of so many pixels a side as on one pixel of many channels."""

CURVES = 6
"""Times that the curve of brightness is applied."""


class Fold(tf.keras.layers.Layer):
    """`[batch, height, width, c]` to `[batch, height / FOLD, width / FOLD, c FOLD²]`; a last odd row or column is
    repeated."""

    def call(self, pixels: Any) -> Any:
        height, width = tf.shape(pixels)[1], tf.shape(pixels)[2]
        padded = tf.pad(pixels, [[0, 0], [0, height % FOLD], [0, width % FOLD], [0, 0]], "SYMMETRIC")
        return tf.nn.space_to_depth(padded, FOLD)


class Unfold(tf.keras.layers.Layer):
    """The inverse of `Fold`, of the size of the second input."""

    def call(self, inputs: tuple[Any, Any]) -> Any:
        folded, like = inputs
        return tf.nn.depth_to_space(folded, FOLD)[:, : tf.shape(like)[1], : tf.shape(like)[2]]


class Brighten(tf.keras.layers.Layer):
    """Values of 0 to 1 along curves x + a x (1 - x), one after another, of which each picture has its own `a` for each
    channel (Zero-DCE, Guo et al. 2020). Inputs `[batch, height, width, 3]` and `[batch, 3 CURVES]`, -1 to 1."""

    def call(self, inputs: tuple[Any, Any]) -> Any:
        x, strengths = inputs
        for strength in tf.split(strengths[:, None, None], CURVES, axis=-1):
            x = x + strength * x * (1 - x)
        return x


def restorer(filters: int, blocks: int, tones: int) -> tuple[Any, Any, Any]:
    """A residual network that mends pictures: DnCNN's idea (Zhang et al. 2017), the difference to the input is what is
    predicted, at half size as in FFDNet (Zhang et al. 2018), in residual blocks.

    How bright the whole picture is, which no patch tells, decides a curve of brightness and scales the features of each
    block. All begins at zero, and so the whole as its input.

    Returns:
      the inputs, uint8 `[batch, height, width, 3]` and float32 `[batch, tones]`, and the output, float32 RGB, about 0
      to 1.
    """
    layers = tf.keras.layers
    picture = tf.keras.Input([None, None, 3], dtype=tf.uint8)
    brightness = tf.keras.Input([tones])
    known = layers.Dense(32, activation="relu")(layers.Dense(32, activation="relu")(brightness))
    given = layers.Rescaling(1 / 255)(picture)
    strengths = layers.Dense(3 * CURVES, activation="tanh", kernel_initializer="zeros")(known)
    lit = Brighten()([given, strengths])
    x = layers.Concatenate()([Fold()(given), Fold()(lit)])
    x = head = layers.Conv2D(filters, 3, padding="same")(layers.Rescaling(1, -0.5)(x))
    for _ in range(blocks):
        change = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        scale = layers.Reshape([1, 1, filters])(layers.Dense(filters, activation="sigmoid")(known))
        change = layers.Multiply()([layers.Conv2D(filters, 3, padding="same")(change), scale])
        x = layers.Add()([x, change])
    x = layers.Conv2D(3 * FOLD**2, 3, padding="same", kernel_initializer="zeros")(layers.Add()([x, head]))
    mended = layers.Add(dtype="float32")([lit, Unfold()([x, given])])
    return picture, brightness, mended


def restorer_reach(blocks: int) -> int:
    """As `reach`, of `restorer`; a multiple of `FOLD`."""
    return FOLD * (3 + 2 * blocks)


def absolute_error(truth: Any, answer: Any) -> Any:
    """Mean absolute error, `[batch]`, of uint8 RGB beside float RGB of 0 to 1."""
    return tf.reduce_mean(tf.abs(answer - tf.cast(truth, answer.dtype) / 255), axis=[1, 2, 3])


def luma_error(truth: Any, answer: Any) -> Any:
    """Mean absolute error of luma, `[batch]`: of uint8 RGB beside float RGB of 0 to 1."""
    difference = answer - tf.cast(truth, answer.dtype) / 255
    return tf.reduce_mean(tf.abs(tf.reduce_sum(difference * tf.constant(LUMA, answer.dtype), axis=-1)), axis=[1, 2])
