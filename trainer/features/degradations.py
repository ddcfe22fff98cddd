"""Pictures made worse on purpose, in the graph: drawn anew in every step, as `data.media.degraded` does once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data.media.degraded import BLUR, BLUR_REACH, DARK_NOISE, GAIN, GAMMA, NOISE, QUALITY
from trainer.backend import tf


def degrade(clean: Any, sampled: Any, grey: Any, seed: Any) -> tuple[Any, Any]:
    """Noise, blur, low light and JPEG, each on a fifth of the batch; the last fifth stays as it is.

    So a picture that nothing is wrong with is left alone.

    Args:
      clean: uint8 `[batch, height, width, 3]`.
      sampled: uint8 `[batch, rows, columns, 3]`, single pixels of the pictures that `clean` are parts of
        (`trainer.features.impressions`): of theirs brightness and noise change alike, and blur and JPEG change little.
      grey: bool `[batch]`, whether a picture has no colours: then its noise has none.
      seed: int64 `[2]`.

    Returns:
      what became of `clean` and of `sampled`.
    """
    batch = tf.shape(clean)[0]
    first = tf.random.stateless_uniform([], seed, 0, len(_WAYS), tf.int32)
    places, found, found_samples = [], [], []
    for number, way in enumerate(_WAYS):
        start = (number + first) % len(_WAYS)
        place = tf.range(start, tf.maximum(start, batch), len(_WAYS))
        part, part_samples = (tf.cast(tf.gather(pixels, place), tf.float32) for pixels in (clean, sampled))
        pixels, alike = way(part, tf.gather(grey, place), seed + number + 1)
        places.append(place)
        found.append(_whole_numbers(pixels))
        found_samples.append(_whole_numbers(alike(part_samples)))
    stitched = tf.ensure_shape(tf.dynamic_stitch(places, found), clean.shape)
    return stitched, tf.ensure_shape(tf.dynamic_stitch(places, found_samples), sampled.shape)


def _whole_numbers(pixels: Any) -> Any:
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)


Degraded = tuple[Any, Callable[[Any], Any]]
"""Pixels of 0 to 255, not rounded, and what makes of other single pixels of the same pictures, `[batch, rows, columns,
3]`, what became of these."""


def noisy(pixels: Any, grey: Any, seed: Any) -> Degraded:
    strength = _drawn(tf.shape(pixels)[0], NOISE, seed)

    def noised(values: Any, seed: Any) -> Any:
        return values + strength * _noise(values, grey, seed)

    return noised(pixels, seed), lambda others: noised(others, seed + _OTHERS)


def blurred(pixels: Any, grey: Any, seed: Any) -> Degraded:
    deviation = _drawn(tf.shape(pixels)[0], BLUR, seed)[:, 0, 0]
    kernel = tf.exp(-0.5 * (tf.range(-BLUR_REACH, BLUR_REACH + 1.0) / deviation) ** 2)
    kernel /= tf.reduce_sum(kernel, axis=-1, keepdims=True)
    for axis in (1, 2):
        places = tf.range(tf.shape(pixels)[axis])
        last = tf.shape(pixels)[axis] - 1
        pixels = tf.add_n(
            [
                kernel[:, shift + BLUR_REACH, None, None, None]
                * tf.gather(pixels, tf.clip_by_value(places + shift, 0, last), axis=axis)
                for shift in range(-BLUR_REACH, BLUR_REACH + 1)
            ]
        )
    return pixels, _unchanged


def darkened(pixels: Any, grey: Any, seed: Any) -> Degraded:
    count = tf.shape(pixels)[0]
    gain, gamma = _drawn(count, GAIN, seed), _drawn(count, GAMMA, seed + 7)

    def dark(values: Any, seed: Any) -> Any:
        return 255 * gain * (values / 255) ** gamma + DARK_NOISE * _noise(values, grey, seed)

    return dark(pixels, seed), lambda others: dark(others, seed + _OTHERS)


def compressed(pixels: Any, grey: Any, seed: Any) -> Degraded:
    qualities = tf.random.stateless_uniform([tf.shape(pixels)[0]], seed, QUALITY[0], QUALITY[1] + 1, tf.int32)

    def one(of_picture: Any) -> Any:
        return tf.image.adjust_jpeg_quality(of_picture[0], of_picture[1])

    whole = tf.cast(pixels, tf.uint8)
    signature = tf.TensorSpec(pixels.shape[1:], tf.uint8)
    return tf.cast(tf.map_fn(one, (whole, qualities), fn_output_signature=signature), tf.float32), _unchanged


def left_good(pixels: Any, grey: Any, seed: Any) -> Degraded:
    return pixels, _unchanged


_WAYS = (noisy, blurred, darkened, compressed, left_good)


_OTHERS = 13
"""Added to the seed of other pixels' noise."""


def _unchanged(pixels: Any) -> Any:
    return pixels


def _drawn(count: Any, bounds: tuple[float, float], seed: Any) -> Any:
    """One number for each picture, `[count, 1, 1, 1]`."""
    return tf.random.stateless_uniform([count, 1, 1, 1], seed, *bounds)


def _noise(pixels: Any, grey: Any, seed: Any) -> Any:
    """Standard normal, of the shape of `pixels`; equal in all channels of a grey picture."""
    noise = tf.random.stateless_normal(tf.shape(pixels), seed + 3)
    return tf.where(grey[:, None, None, None], noise[..., :1], noise)
