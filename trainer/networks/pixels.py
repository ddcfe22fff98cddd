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

BAND_STEPS = (1, 2, 4)
"""Pixels between the taps of each blur by which `Bands` takes a picture apart."""

BAND_REACH = 2 * sum(BAND_STEPS)
"""Pixels around one that its bands depend on."""

BAND_GAIN = 4.0
"""Of bands, which vary less than the picture, where the network looks at them."""

TINT = 0.3
"""How much faster levels that the three colours share are learnt than those of each, which may tint."""

FAINTEST = 0.5 / 255
"""A share of full brightness below which `Levels` does not steepen."""


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


class Levels(tf.keras.layers.Layer):
    """Values of 0 to 1 as the "levels" of image editors change them, v -> (e^a v - b)^(e^c), black where that is none.

    Inputs `[batch, height, width, 3]` and `[batch, 3, 3]`, a, b and c of red, green and blue; all 0 changes nothing.
    """

    def call(self, inputs: tuple[Any, Any]) -> Any:
        values, numbers = inputs
        gain, black, gamma = tf.unstack(numbers[:, None, None], axis=-2)
        power = tf.exp(gamma)
        return tf.pow(tf.nn.relu(tf.exp(gain) * values - black) + FAINTEST, power) - tf.pow(FAINTEST, power)


class Bands(tf.keras.layers.Layer):
    """A picture `[batch, height, width, c]` as what each of several blurs takes away, from fine to coarse: an à trous
    wavelet transform with cubic B-splines (Starck & Murtagh 1994), without what the last blur leaves."""

    def call(self, picture: Any) -> list[Any]:
        found = []
        for step in BAND_STEPS:
            blurred = self._along(self._along(picture, step, axis=1), step, axis=2)
            found.append(picture - blurred)
            picture = blurred
        return found

    @staticmethod
    def _along(picture: Any, step: int, axis: int) -> Any:
        first, last = tf.split(tf.gather(picture, [0, tf.shape(picture)[axis] - 1], axis=axis), 2, axis)
        longer = tf.concat([*[first] * 2 * step, picture, *[last] * 2 * step], axis)
        size, count = tf.shape(picture), len(picture.shape)
        parts = [
            weight / 16 * tf.slice(longer, [tap * step if n == axis else 0 for n in range(count)], size)
            for tap, weight in enumerate((1, 4, 6, 4, 1))
        ]
        return tf.add_n(parts)


def restorer(filters: int, blocks: int, impressions: int) -> tuple[Any, Any, Any]:
    """A residual network that mends pictures: what is to be added to the input is predicted (DnCNN, Zhang et al. 2017),
    at half size (FFDNet, Zhang et al. 2018), in residual blocks without normalisation.

    What the picture is like as a whole, which no patch tells, decides its levels and scales the features of each
    block. Seen beside that picture are its bands, and added to it, each as strongly as the network says of each pixel,
    whereby it blurs and sharpens, and what else is missing. All that is added begins at zero, and so the whole as its
    input.

    Args:
      impressions: numbers of `trainer.features.impressions`.

    Returns:
      the inputs, uint8 `[batch, height, width, 3]` and float32 `[batch, impressions]`, and the output, float32 RGB,
      about 0 to 1.
    """
    layers = tf.keras.layers
    picture = tf.keras.Input([None, None, 3], dtype=tf.uint8)
    impression = tf.keras.Input([impressions])
    known = layers.Dense(32, activation="relu")(layers.Dense(32, activation="relu")(impression))
    given = layers.Rescaling(1 / 255)(picture)
    of_all = layers.Reshape([3, 1])(layers.Dense(3, kernel_initializer="zeros")(known))
    of_each = layers.Reshape([3, 3])(layers.Dense(9, kernel_initializer="zeros")(known))
    lit = Levels(dtype="float32")([given, layers.Add()([of_all, layers.Rescaling(TINT)(of_each)])])
    bands = Bands()(lit)
    pictures = layers.Rescaling(1, -0.5)(layers.Concatenate()([Fold()(given), Fold()(lit)]))
    details = layers.Rescaling(BAND_GAIN)(layers.Concatenate()([Fold()(band) for band in bands]))
    x = layers.Conv2D(filters, 3, padding="same")(layers.Concatenate()([pictures, details]))
    x = head = layers.Add()([x, layers.Reshape([1, 1, filters])(layers.Dense(filters)(known))])
    for _ in range(blocks):
        change = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        scale = layers.Reshape([1, 1, filters])(layers.Dense(filters, activation="sigmoid")(known))
        change = layers.Multiply()([layers.Conv2D(filters, 3, padding="same")(change), scale])
        x = layers.Add()([x, change])
    x = layers.Add()([x, head])

    def by_pixel() -> Any:
        return Unfold()([layers.Conv2D(3 * FOLD**2, 3, padding="same", kernel_initializer="zeros")(x), given])

    changes = [by_pixel(), *(layers.Multiply()([band, by_pixel()]) for band in bands)]
    return picture, impression, layers.Add(dtype="float32")([lit, *changes])


def restorer_reach(blocks: int) -> int:
    """As `reach`, of `restorer`; a multiple of `FOLD`."""
    return FOLD * (3 + 2 * blocks) + BAND_REACH


def root_mean_squared_error(truth: Any, answer: Any) -> Any:
    """Of each picture, `[batch]`, of uint8 RGB beside float RGB of 0 to 1: among the pixels of one large errors count
    most, as PSNR has it, but among pictures those that cannot be mended well do not drown the others."""
    squares = tf.square(answer - tf.cast(truth, answer.dtype) / 255)
    return tf.sqrt(tf.reduce_mean(squares, axis=[1, 2, 3]) + 1e-6)


def luma_error(truth: Any, answer: Any) -> Any:
    """Mean absolute error of luma, `[batch]`: of uint8 RGB beside float RGB of 0 to 1."""
    difference = answer - tf.cast(truth, answer.dtype) / 255
    return tf.reduce_mean(tf.abs(tf.reduce_sum(difference * tf.constant(LUMA, answer.dtype), axis=-1)), axis=[1, 2])
