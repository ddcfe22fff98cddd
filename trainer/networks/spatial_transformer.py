"""A spatial transformer (Jaderberg et al. 2015): a network that looks at a picture and lays it out anew for another.

Of all affine maps it takes those that aligning upright things needs: a turn, one scale and a shift, each within bounds,
so that it cannot look away from the picture. It begins as the identity.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf

SCALE, TURN, SHIFT = 0.2, 0.3, 0.2
"""What is at most done to a picture: a share of its size, radians, a share of half its sides."""


class SpatialTransformer(tf.keras.layers.Layer):
    """float32 `[batch, height, width, channels]` to the same shape, what moves in filled with the picture's edge."""

    def build(self, shape: Any) -> None:
        layers = tf.keras.layers
        pooled = max(1, min(shape[1], shape[2]) // 16)
        self._localisation = tf.keras.Sequential(
            [
                layers.Input(shape[1:]),
                layers.AveragePooling2D(pooled, padding="same"),
                *self._block(layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)),
                layers.Flatten(),
                *self._block(layers.Dense(32, use_bias=False)),
                layers.Dense(4, kernel_initializer="zeros", activation="tanh", dtype="float32"),
            ]
        )
        super().build(shape)

    def _block(self, layer: Any) -> list[Any]:
        return [layer, tf.keras.layers.BatchNormalization(momentum=0.9), tf.keras.layers.ReLU()]

    def call(self, pictures: Any, training: bool = False) -> Any:
        scale, turn, right, down = tf.unstack(self._localisation(pictures, training=training), axis=-1)
        scale, turn = 1 + SCALE * scale, TURN * turn
        cosine, sine = scale * tf.cos(turn), scale * tf.sin(turn)
        rows = tf.stack([cosine, -sine, SHIFT * right, sine, cosine, SHIFT * down], axis=-1)
        return resample(pictures, tf.reshape(rows, [-1, 2, 3]))


def resample(pictures: Any, maps: Any) -> Any:
    """Pictures seen through affine maps, bilinear between pixels; gradients reach pictures and maps.

    Args:
      pictures: float `[batch, height, width, channels]`.
      maps: float32 `[batch, 2, 3]`, from a place in what is returned to one in the picture, (x, y, 1) with -1 and 1 at
        the edges.
    """
    height, width, channels = pictures.shape[1:]
    count = tf.shape(pictures)[0]
    y, x = tf.meshgrid(tf.linspace(-1.0, 1.0, height), tf.linspace(-1.0, 1.0, width), indexing="ij")
    places = tf.stack([tf.reshape(x, [-1]), tf.reshape(y, [-1]), tf.ones([height * width])])
    seen = tf.matmul(maps, tf.broadcast_to(places, [count, 3, height * width]))
    left, right, to_right = _between((seen[:, 0] + 1) * (width - 1) / 2, width)
    above, below, to_below = _between((seen[:, 1] + 1) * (height - 1) / 2, height)
    pixels = tf.reshape(pictures, [count, height * width, channels])

    def at(row: Any, column: Any) -> Any:
        return tf.gather(pixels, row * width + column, batch_dims=1)

    to_right, to_below = (tf.cast(share, pictures.dtype)[..., None] for share in (to_right, to_below))
    upper = (1 - to_right) * at(above, left) + to_right * at(above, right)
    lower = (1 - to_right) * at(below, left) + to_right * at(below, right)
    return tf.reshape((1 - to_below) * upper + to_below * lower, [count, height, width, channels])


def _between(place: Any, side: int) -> tuple[Any, Any, Any]:
    """The pixels on both sides of a place, int32, and how far it lies from the first to the second."""
    place = tf.clip_by_value(place, 0.0, side - 1.0)
    before = tf.floor(place)
    first = tf.cast(before, tf.int32)
    return first, tf.minimum(first + 1, side - 1), place - before
