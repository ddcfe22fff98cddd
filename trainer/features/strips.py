"""Pictures answered strip by strip, so that memory does not grow with their size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.backend import tf
from trainer.features import images

STRIP_PIXELS = 1 << 17
"""Of a strip, without what it shares with its neighbours."""


Answer = Callable[[Any], Any]
"""uint8 `[1, rows, columns, 3]` to floats `[1, scale rows, scale columns, 3]`, 0 to 1."""


def answer_whole(encoded: Any, answer_for: Callable[[Any], Answer], reach: int, scale: int = 1, step: int = 1) -> Any:
    """Each of a batch of pictures answered at its own size: for `Task.predict` of fully convolutional models.

    Args:
      encoded: string `[batch]`, PNG or JPEG, of any sizes.
      answer_for: what answers the strips of a picture, which it is given whole, uint8 `[height, width, 3]`.
      reach: a pixel of the answer depends on no input further away, in pixels of the input.
      step: strips begin at multiples of it, as a network asks that folds so many rows into one; divides `reach`.

    Returns:
      PNGs, string `[batch]`.
    """

    def one(data: Any) -> Any:
        picture = images.decode_whole(data)
        return tf.io.encode_png(in_strips(picture, answer_for(picture), reach, scale, step))

    return tf.map_fn(one, encoded, fn_output_signature=tf.string, parallel_iterations=1)


def in_strips(picture: Any, answer: Answer, reach: int, scale: int = 1, step: int = 1) -> Any:
    """uint8 `[height, width, 3]` to uint8, `scale` times as high and wide; otherwise as `answer_whole`.

    Each strip is answered with `reach` rows more on both sides, as far as there are any, which are then cut off: what
    is left is what the whole picture would have been answered, and no seam is to be seen.
    """
    height, width = tf.shape(picture)[0], tf.shape(picture)[1]
    rows = step * tf.maximum(STRIP_PIXELS // (step * width), 1)
    count = -(-height // rows)

    def strip(number: Any, answered: Any) -> tuple[Any, Any]:
        top = number * rows
        bottom = tf.minimum(top + rows, height)
        first, last = tf.maximum(top - reach, 0), tf.minimum(bottom + reach, height)
        pixels = answer(picture[None, first:last])[0, scale * (top - first) : scale * (bottom - first)]
        rounded = tf.cast(tf.clip_by_value(tf.round(pixels * 255), 0.0, 255.0), tf.uint8)
        return number + 1, answered.write(number, rounded)

    strips = tf.TensorArray(tf.uint8, size=count, infer_shape=False, element_shape=[None, None, 3])
    _, strips = tf.while_loop(lambda number, _: number < count, strip, (0, strips), parallel_iterations=1)
    return strips.concat()
