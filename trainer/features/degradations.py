"""Pictures made worse on purpose, in the graph: drawn anew in every step, as `data.media.degraded` does once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data.media.degraded import BLUR, BLUR_REACH, DARK_NOISE, GAIN, GAMMA, NOISE, QUALITY
from trainer.backend import tf


def degrade(clean: Any, grey: Any, tones: Any, seed: Any) -> tuple[Any, Any]:
    """Noise, blur, low light and JPEG, each on a quarter of the batch.

    Args:
      clean: uint8 `[batch, height, width, 3]`.
      grey: bool `[batch]`, whether a picture has no colours: then its noise has none.
      tones: float32 `[batch, n]`, brightnesses of the pictures that `clean` are parts of (`trainer.features.tones`).
      seed: int64 `[2]`.

    Returns:
      what became of `clean` and of `tones`.
    """
    batch = tf.shape(clean)[0]
    first = tf.random.stateless_uniform([], seed, 0, len(_WAYS), tf.int32)
    places, found, found_tones = [], [], []
    for number, way in enumerate(_WAYS):
        start = (number + first) % len(_WAYS)
        place = tf.range(start, tf.maximum(start, batch), len(_WAYS))
        part = tf.cast(tf.gather(clean, place), tf.float32)
        pixels, curve = way(part, tf.gather(grey, place), seed + number + 1)
        places.append(place)
        found.append(tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8))
        found_tones.append(curve(tf.gather(tones, place)))
    stitched = tf.ensure_shape(tf.dynamic_stitch(places, found), clean.shape)
    return stitched, tf.ensure_shape(tf.dynamic_stitch(places, found_tones), tones.shape)


Degraded = tuple[Any, Callable[[Any], Any]]
"""Pixels of 0 to 255, not rounded, and what became of brightnesses of 0 to 1 `[batch, n]`."""


def noisy(pixels: Any, grey: Any, seed: Any) -> Degraded:
    strength = _drawn(tf.shape(pixels)[0], NOISE, seed)
    return pixels + strength * _noise(pixels, grey, seed), _unchanged


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
    dark = 255 * gain * (pixels / 255) ** gamma + DARK_NOISE * _noise(pixels, grey, seed)
    return dark, lambda tones: gain[:, :, 0, 0] * tones ** gamma[:, :, 0, 0]


def compressed(pixels: Any, grey: Any, seed: Any) -> Degraded:
    qualities = tf.random.stateless_uniform([tf.shape(pixels)[0]], seed, QUALITY[0], QUALITY[1] + 1, tf.int32)

    def one(of_picture: Any) -> Any:
        return tf.image.adjust_jpeg_quality(of_picture[0], of_picture[1])

    whole = tf.cast(pixels, tf.uint8)
    signature = tf.TensorSpec(pixels.shape[1:], tf.uint8)
    return tf.cast(tf.map_fn(one, (whole, qualities), fn_output_signature=signature), tf.float32), _unchanged


_WAYS = (noisy, blurred, darkened, compressed)


def _unchanged(tones: Any) -> Any:
    return tones


def _drawn(count: Any, bounds: tuple[float, float], seed: Any) -> Any:
    """One number for each picture, `[count, 1, 1, 1]`."""
    return tf.random.stateless_uniform([count, 1, 1, 1], seed, *bounds)


def _noise(pixels: Any, grey: Any, seed: Any) -> Any:
    """Standard normal, of the shape of `pixels`; equal in all channels of a grey picture."""
    noise = tf.random.stateless_normal(tf.shape(pixels), seed + 3)
    return tf.where(grey[:, None, None, None], noise[..., :1], noise)
