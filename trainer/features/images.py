"""Pictures inside the graph: decoding encoded bytes and bringing them to one size."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def decode(encoded: Any, height: Any, width: Any, channels: Any = 3) -> Any:
    """Decodes and resizes a batch of pictures, each of its own size.

    Args:
      encoded: string `[batch]`, PNG or JPEG as `data.media.pictures.decodable` leaves them: upright, opaque, 8 bits.
      height: pixels, int32 scalar or int.
      width: pixels, int32 scalar or int.
      channels: 1 or 3, int32 scalar or int. 1 keeps the luma of ITU-R BT.601.

    Returns:
      uint8 `[batch, height, width, channels]`. Shrunk pictures are averaged over area, enlarged ones interpolated.
    """
    return decode_sized(encoded, height, width, channels)[0]


def decode_like(encoded: Any, pictures: Any) -> Any:
    """As `decode`, to the size and channels of other pictures, `[batch, height, width, channels]`."""
    _, height, width, channels = tf.unstack(tf.shape(pictures))
    return tf.ensure_shape(decode(encoded, height, width, channels), [None, *pictures.shape[1:]])


def decode_sized(encoded: Any, height: Any, width: Any, channels: Any = 3) -> tuple[Any, Any]:
    """As `decode`, and the height and width of each picture as it came, int32 `[batch, 2]`."""
    size = tf.stack([tf.cast(height, tf.int32), tf.cast(width, tf.int32)])
    channels = tf.cast(channels, tf.int32)

    def one(data: Any) -> Any:
        picture = tf.io.decode_image(data, channels=3, expand_animations=False)
        picture = tf.cond(tf.equal(channels, 1), lambda: tf.image.rgb_to_grayscale(picture), lambda: picture)
        picture.set_shape([None, None, None])
        came = tf.shape(picture)[:2]
        return tf.cond(tf.reduce_all(tf.equal(came, size)), lambda: picture, lambda: _resize(picture, size)), came

    signature = tf.TensorSpec([None, None, None], tf.uint8), tf.TensorSpec([2], tf.int32)
    pictures, sizes = tf.map_fn(one, encoded, fn_output_signature=signature)
    return tf.ensure_shape(pictures, [None, *(_static(n) for n in (height, width, channels))]), sizes


def decode_fitted(encoded: Any, height: Any, width: Any, channels: Any = 3) -> tuple[Any, Any]:
    """As `decode_sized`, but no picture is stretched: each is as large as the canvas allows, at its left top, and what
    is beside it is black."""
    canvas = tf.stack([tf.cast(height, tf.int32), tf.cast(width, tf.int32)])
    channels = tf.cast(channels, tf.int32)

    def one(data: Any) -> Any:
        picture = tf.io.decode_image(data, channels=3, expand_animations=False)
        picture = tf.cond(tf.equal(channels, 1), lambda: tf.image.rgb_to_grayscale(picture), lambda: picture)
        picture.set_shape([None, None, None])
        came = tf.shape(picture)[:2]
        size = fitted_size(came, canvas)
        fitted = tf.cond(tf.reduce_all(tf.equal(came, size)), lambda: picture, lambda: _resize(picture, size))
        beside = canvas - size
        return tf.pad(fitted, [[0, beside[0]], [0, beside[1]], [0, 0]]), came

    signature = tf.TensorSpec([None, None, None], tf.uint8), tf.TensorSpec([2], tf.int32)
    pictures, sizes = tf.map_fn(one, encoded, fn_output_signature=signature)
    return tf.ensure_shape(pictures, [None, *(_static(n) for n in (height, width, channels))]), sizes


def fitted_size(size: Any, canvas: Any) -> Any:
    """The largest size of the same shape that a canvas holds; all int32 `[2]`, height and width."""
    scale = tf.reduce_min(tf.cast(canvas, tf.float64) / tf.cast(size, tf.float64))
    fitted = tf.cast(tf.round(tf.cast(size, tf.float64) * scale), tf.int32)
    return tf.clip_by_value(fitted, 1, canvas)


def _resize(picture: Any, size: Any) -> Any:
    resized = tf.image.resize(tf.cast(picture, tf.float32), size, method="bilinear", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)


def _static(number: Any) -> int | None:
    value = number if isinstance(number, int) else tf.get_static_value(number)
    return None if value is None else int(value)


def decode_whole(encoded: Any) -> Any:
    """One picture, string scalar, at its own size: uint8 `[height, width, 3]`."""
    picture = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    picture.set_shape([None, None, 3])
    return picture


def within(picture: Any, longest: int) -> Any:
    """One picture, uint8 `[height, width, channels]`, shrunk so that its longer side has at most so many pixels."""
    size = tf.shape(picture)[:2]
    fitted = fitted_size(size, tf.minimum(size, longest))
    return tf.cond(tf.reduce_all(tf.equal(size, fitted)), lambda: picture, lambda: _resize(picture, fitted))


def filled_up(picture: Any, step: int, margin: int = 0) -> Any:
    """One picture on its mirror image, of which `margin` pixels are added above and to the left, and below and to the
    right at least as many: until the sides are multiples of `step`, at least two."""
    size = tf.shape(picture)[:2]
    wanted = tf.maximum((size + 2 * margin + step - 1) // step, 2) * step
    rows, columns = (_mirrored(tf.range(wanted[axis]) - margin, size[axis]) for axis in (0, 1))
    return tf.gather(tf.gather(picture, rows), columns, axis=1)


def _mirrored(places: Any, size: Any) -> Any:
    """Places on a line that is endlessly mirrored at both ends, as places of 0 to `size` - 1."""
    there = tf.math.floormod(places, tf.maximum(2 * (size - 1), 1))
    return tf.minimum(there, 2 * (size - 1) - there)


def middle(picture: Any, height: Any, width: Any) -> Any:
    """The middle of a picture `[rows, columns, channels]`; `data.media.degraded.middle` is the same for files."""
    top, left = (tf.shape(picture)[0] - height) // 2, (tf.shape(picture)[1] - width) // 2
    return picture[top : top + height, left : left + width]


def encode_middles(encoded: Any, heights: Any, widths: Any) -> Any:
    """The middle of each of a batch of encoded pictures, of its own height and width (int64 `[batch]`), as PNG."""

    def one(of_picture: Any) -> Any:
        data, height, width = of_picture
        return tf.io.encode_png(middle(decode_whole(data), height, width))

    sizes = (tf.cast(heights, tf.int32), tf.cast(widths, tf.int32))
    return tf.map_fn(one, (encoded, *sizes), fn_output_signature=tf.string)


def halve(pictures: Any) -> Any:
    """Half as wide and high, uint8 `[batch, height, width, channels]` of even sides: antialiased bicubic (a = -0.5), as
    Pillow and MATLAB have it (`data.media.degraded.halved`)."""
    size = tf.shape(pictures)[1:3] // 2
    halved = tf.image.resize(tf.cast(pictures, tf.float32), size, method="bicubic", antialias=True)
    return tf.cast(tf.clip_by_value(tf.round(halved), 0.0, 255.0), tf.uint8)


def random_shift(pictures: Any, share: float, seed: Any) -> Any:
    """Moves each picture by whole pixels, up to `share` of its height and width: for `Task.batch`.

    What moves in is filled with the picture's edge.

    Args:
      pictures: uint8 `[batch, height, width, channels]`.
      share: 0 to 1.
      seed: int64 `[2]`.
    """
    count, height, width, channels = tf.unstack(tf.shape(pictures))
    most = tf.round(share * tf.cast([height, width], tf.float32))
    by = tf.cast(tf.floor(tf.random.stateless_uniform([count, 2], seed) * (2 * most + 1) - most), tf.int32)
    row = tf.clip_by_value(tf.range(height) + by[:, :1], 0, height - 1)
    column = tf.clip_by_value(tf.range(width) + by[:, 1:], 0, width - 1)
    # One gather of all pixels takes half the time of an image transform, and a step of a small model notices.
    row_of_all = row + height * tf.range(count)[:, None]
    moved = tf.gather(tf.reshape(pictures, [-1, channels]), width * row_of_all[:, :, None] + column[:, None, :])
    return tf.ensure_shape(moved, pictures.shape)


def random_affine(pictures: Any, turn: float, scale: float, shift: float, mirror: bool, seed: Any) -> Any:
    """Turns, scales and moves each picture about its middle, and mirrors half of them if `mirror`: for `Task.batch`.

    What moves in is filled with the picture's edge.

    Args:
      pictures: uint8 `[batch, height, width, channels]`.
      turn: radians, at most, to either side.
      scale: share of the size, at most, larger or smaller.
      shift: share of the height and width, at most.
      seed: int64 `[2]`.
    """
    count, height, width = (tf.shape(pictures)[axis] for axis in range(3))
    drawn = tf.random.stateless_uniform([5, count], seed, -1.0, 1.0)
    angle, size = drawn[0] * turn, 1 + drawn[1] * scale
    cosine, sine = size * tf.cos(angle), size * tf.sin(angle)
    flip = tf.where((drawn[4] < 0) & mirror, -1.0, 1.0)
    height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    x, y = (width - 1) / 2, (height - 1) / 2
    right, down = x + drawn[2] * shift * width, y + drawn[3] * shift * height
    nothing = tf.zeros([count])
    rows = [cosine * flip, -sine, right - cosine * flip * x + sine * y]
    rows += [sine * flip, cosine, down - sine * flip * x - cosine * y, nothing, nothing]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack(rows, axis=1),
        output_shape=tf.shape(pictures)[1:3],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    return tf.ensure_shape(moved, pictures.shape)


def random_mirror(pictures: Any, seed: Any) -> Any:
    """Mirrors half of the pictures, uint8 `[batch, height, width, channels]`, left to right: for `Task.batch`.

    Args:
      seed: int64 `[2]`.
    """
    chosen = tf.random.stateless_uniform([tf.shape(pictures)[0], 1, 1, 1], seed) < 0.5
    return tf.where(chosen, pictures[:, :, ::-1], pictures)


def random_light(pictures: Any, strength: float, seed: Any) -> Any:
    """Each picture in another light: each of its channels is multiplied and shifted by chance, for `Task.batch`.

    Args:
      pictures: uint8 `[batch, height, width, channels]`.
      strength: 0 to 1, how much factors differ from 1, and shifts from 0 as a share of half the range.
      seed: int64 `[2]`.
    """
    count, channels = tf.shape(pictures)[0], tf.shape(pictures)[3]
    chance = tf.random.stateless_uniform([2, count, 1, 1, channels + 1], seed, -strength, strength)
    both = (chance[..., :-1] + chance[..., -1:]) / 2  # of the channel, and of the picture
    gain, shift = 1 + both[0], 127.5 * both[1]
    lit = (tf.cast(pictures, tf.float32) - 127.5) * gain + 127.5 + shift
    return tf.cast(tf.clip_by_value(lit, 0.0, 255.0), tf.uint8)


def typical_side(sides: Any, at_most: int) -> Any:
    """The median of a column of side lengths (int64 `[batch]`) over the whole train split: int32 scalar, pixels.

    A full pass, for use in `preprocess`.
    """
    import tensorflow_transform as tft

    median = tft.quantiles(tf.cast(sides, tf.float32), num_buckets=2, epsilon=0.01)[0, 0]
    return tf.clip_by_value(tf.cast(tf.round(median), tf.int32), 1, at_most)


def needed_channels(channels: Any) -> Any:
    """1 when no picture of the train split has colour channels, else 3: int32 scalar, a full pass."""
    import tensorflow_transform as tft

    return tf.where(tft.max(channels) >= 3, 3, 1)
