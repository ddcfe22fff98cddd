"""Videos inside the graph: decoding the frames that a column of kind `Video` keeps, as many as a model takes."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import images

_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
"""The first and the last bytes of a JPEG."""


def decode(values: Any, frames: int, height: Any, width: Any, channels: Any = 3) -> Any:
    """Decodes and resizes the frames of a batch of videos, each of its own size and number of frames.

    Of a video of n frames, frame i of the answer is its frame floor((i + 1/2) n / `frames`): the one at the middle of
    the i-th of `frames` equal parts of its time. A video of fewer frames so shows each for longer, equally or nearly so
    and in their order, and none is blank; one of more is thinned evenly.

    Args:
      values: string `[batch]`, as `data.media.videos.pack` writes them; one JPEG alone is a video of one frame.
      frames: how many to give of each, at least 1.
      height: pixels, int32 scalar or int.
      width: pixels, int32 scalar or int.
      channels: 1 or 3, int32 scalar or int. 1 keeps the luma of ITU-R BT.601.

    Returns:
      uint8 `[batch, frames, height, width, channels]`.

    Raises:
      tf.errors.InvalidArgumentError: a value is empty, or a frame cannot be decoded.
    """
    lengths = tf.strings.length(values)
    between = tf.strings.substr(values, tf.fill(tf.shape(lengths), len(_BEGIN)), lengths - len(_BEGIN + _END))
    kept = tf.strings.split(between, _END + _BEGIN)
    counts = tf.cast(kept.row_lengths(), tf.int64)[:, None]
    chosen = (2 * tf.range(frames, dtype=tf.int64) + 1) * counts // (2 * frames)
    pictures = tf.gather(kept.values, tf.cast(kept.row_starts(), tf.int64)[:, None] + chosen)
    pictures = tf.strings.join([_BEGIN, tf.reshape(pictures, [-1]), _END])
    decoded = images.decode(pictures, height, width, channels)
    size = tf.concat([[-1, frames], tf.shape(decoded)[1:]], axis=0)
    return tf.ensure_shape(tf.reshape(decoded, size), [None, frames, *decoded.shape[1:]])
