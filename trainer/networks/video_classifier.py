"""A network of frames and time: what each frame shows, and what moved since the one before, read by a recurrent layer.

Each frame goes through a convolutional encoder, which says what is there. Beside it optical flow from frame to frame is
solved for in closed form (Lucas & Kanade 1981) on frames of two scales, and convolutions read from it what moves where.
An LSTM (Hochreiter & Schmidhuber 1997) goes through both, frame by frame, and the mean of what it says over time (Ng et
al. 2015) is what classes are told by. That films need a stream of flow beside that of frames is of Simonyan & Zisserman
(2014).

Frames alone are not enough: an encoder of single frames has to learn to locate whatever moves before a recurrent layer
can tell where it goes, which takes many more clips than people have; and a convolution over two frames that are put
together has to learn to multiply them.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.recurrent import lstm

SCALES = ((2, 5), (4, 3))
"""By how much frames are shrunk before flow is solved for, and the side of the window in which it is one."""
LEAST = 1e-3
"""Of the squares of gradients in a window: where there is little to see, nothing moves."""


class LucasKanade(tf.keras.layers.Layer):
    """Optical flow from the frame before, of windows of so many pixels.

    Floats `[batch, frames, height, width, channels]` of about -1 to 1 -> float32 `[batch, frames, height, width, 4]`:
    the motion to the right and downwards in pixels, shortened to less than 1 with its direction kept; how much of what
    changed is no gradient's; and how much there is to see. The first frame is compared with itself.
    """

    def __init__(self, window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs, dtype="float32")
        self._window = window

    def call(self, clip: Any) -> Any:
        before = tf.concat([clip[:, :1], clip[:, :-1]], axis=1)
        between, change = (clip + before) / 2, clip - before
        wide = tf.pad(between, [[0, 0], [0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        right = (wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2]) / 2
        down = (wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]) / 2
        products = (right * right, right * down, down * down, right * change, down * change, change * change)
        xx, xy, yy, xt, yt, tt = tf.unstack(
            self._in_windows([tf.reduce_sum(one, axis=-1) for one in products]), axis=-1
        )
        xx, yy = xx + LEAST, yy + LEAST
        determinant = xx * yy - xy * xy
        u, v = (xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant
        length = tf.sqrt(1 + u * u + v * v)
        seen = xx + yy
        return tf.stack([u / length, v / length, tt / (seen + tt), seen / (seen + 20 * LEAST)], axis=-1)

    def _in_windows(self, products: list[Any]) -> Any:
        """The mean of each in the window around each pixel."""
        together = tf.stack(products, axis=-1)
        _, frames, height, width, count = together.shape
        pictures = tf.reshape(together, [-1, height, width, count])
        return tf.reshape(tf.nn.avg_pool2d(pictures, self._window, 1, "SAME"), [-1, frames, height, width, count])


def video_features(clip: Any, filters: int, units: int, dropout: float) -> Any:
    """Features of a whole clip, for a last dense layer to tell classes by.

    Args:
      clip: a Keras tensor `[batch, frames, height, width, channels]` of floats about -1 to 1, sides of 32 and more.
      filters: of the first convolution; later ones have up to four times as many.
      units: of the LSTM, and of each of the three things that it is told of a frame.

    Returns:
      `[batch, units]`.
    """
    layers = tf.keras.layers
    shown = _each_frame(clip, [filters, 2 * filters, 3 * filters, 4 * filters])
    told = [_dense(layers.TimeDistributed(layers.GlobalAveragePooling2D())(shown), units)]
    for convolutions, (scale, window) in zip((3, 2), SCALES, strict=True):
        flow = LucasKanade(window)(layers.TimeDistributed(layers.AveragePooling2D(scale))(clip))
        moved = _each_frame(flow, [2 * filters] * convolutions)
        told.append(_dense(layers.TimeDistributed(layers.Flatten())(moved), units))
    together = layers.Dropout(dropout)(layers.Concatenate()(told))
    return layers.GlobalAveragePooling1D()(lstm(units, return_sequences=True)(together))


def _each_frame(x: Any, filters: list[int]) -> Any:
    """Convolutions of 3x3, each of which halves the sides, the same on each frame."""
    layers = tf.keras.layers
    picture = y = tf.keras.Input(x.shape[2:])
    for count in filters:
        y = layers.Conv2D(count, 3, 2, "same", use_bias=False, kernel_initializer="he_normal")(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    return layers.TimeDistributed(tf.keras.Model(picture, y))(x)


def _dense(x: Any, units: int) -> Any:
    layers = tf.keras.layers
    x = layers.Dense(units, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
