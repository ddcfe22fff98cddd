"""Videos inside the graph: decoding the frames that a column of kind `Video` keeps, as many as a model takes."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def choose_frames(clips: Any, count: int, seed: Any = None) -> Any:
    """One frame of each of `count` equal stretches of clips, in their order: a random one each (Wang et al. 2016), for
    `Task.batch`, or where there is no seed the middle ones.

    Args:
      clips: uint8 `[batch, frames, height, width, channels]`, of a multiple of `count` frames.
      seed: int64 `[2]`, or None.
    """
    stretch, batch = clips.shape[1] // count, tf.shape(clips)[0]
    within = tf.fill([batch, count], stretch // 2)
    if seed is not None:
        within = tf.random.stateless_uniform([batch, count], seed, 0, stretch, tf.int32)
    return tf.gather(clips, stretch * tf.range(count) + within, axis=1, batch_dims=1)


def crop(clips: Any, side: int, seed: Any = None) -> Any:
    """A square part of clips, the same of all frames of one: anywhere, for `Task.batch`, or where there is no seed the
    middle.

    Args:
      clips: uint8 `[batch, frames, height, width, channels]`.
      side: pixels, at most the height and the width.
      seed: int64 `[2]`, or None.
    """
    batch, room = tf.shape(clips)[0], tf.constant([clips.shape[2] - side, clips.shape[3] - side])
    corner = tf.broadcast_to(room // 2, [batch, 2])
    if seed is not None:
        corner = tf.cast(tf.random.stateless_uniform([batch, 2], seed) * tf.cast(room + 1, tf.float32), tf.int32)
    rows, columns = (corner[:, axis, None] + tf.range(side) for axis in (0, 1))
    return tf.gather(tf.gather(clips, rows, axis=2, batch_dims=1), columns, axis=3, batch_dims=1)


def as_pictures(clips: Any) -> Any:
    """The frames of each clip below one another, `[batch, frames * height, width, channels]`: what is done to a picture
    is so done to all frames of a clip alike. `as_clips` is the way back."""
    _, frames, height, width, channels = clips.shape
    return tf.reshape(clips, [-1, frames * height, width, channels])


def as_clips(pictures: Any, frames: int) -> Any:
    _, height, width, channels = pictures.shape
    return tf.reshape(pictures, [-1, frames, height // frames, width, channels])


def in_rows(clips: Any, columns: int) -> Any:
    """The frames of each clip as one picture, so many in a row, in reading order; what is left of the last row is
    black.

    Args:
      clips: uint8 `[batch, frames, height, width, channels]`.

    Returns:
      uint8 `[batch, rows * height, columns * width, channels]`.
    """
    _, frames, height, width, channels = clips.shape
    columns = min(columns, frames)
    rows = -(-frames // columns)
    whole = tf.pad(clips, [[0, 0], [0, rows * columns - frames], [0, 0], [0, 0], [0, 0]])
    grid = tf.transpose(tf.reshape(whole, [-1, rows, columns, height, width, channels]), [0, 1, 3, 2, 4, 5])
    return tf.reshape(grid, [-1, rows * height, columns * width, channels])


def from_rows(picture: np.ndarray, frames: int, columns: int) -> np.ndarray:
    """The frames of one picture of `in_rows`: uint8 `[frames, height, width, channels]`."""
    columns = min(columns, frames)
    rows = -(-frames // columns)
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    grid = picture.reshape(rows, height, columns, width, picture.shape[-1]).swapaxes(1, 2)
    return grid.reshape(rows * columns, height, width, picture.shape[-1])[:frames]
