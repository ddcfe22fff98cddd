"""Tones are quantiles of all of a picture, grain tells noise from blur, and a part of a sample differs by step."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import impressions

TONES = 3 * len(impressions.SHARES)


def picture(height: int = 96, width: int = 144) -> np.ndarray:
    slope = np.add.outer(np.linspace(0, 120, height), np.linspace(0, 100, width))
    return (slope[..., None] * [1.0, 0.8, 0.5]).astype(np.uint8)


def test_a_sample_is_an_even_grid_of_pixels_as_they_are() -> None:
    sampled = impressions.sample(tf.constant(picture())).numpy()
    assert np.array_equal(sampled, picture()[1::2, 1::3])
    assert impressions.sample(tf.constant(picture(1, 3))).shape == [impressions.SIDE, impressions.SIDE, 3]


def test_tones_are_quantiles_of_each_channel() -> None:
    pixels = tf.constant(picture())
    found = impressions.impressions(impressions.sample(pixels)[None], pixels[None])[0, :TONES].numpy().reshape(-1, 3)
    expected = np.quantile(picture().reshape(-1, 3), impressions.SHARES, axis=0) / 255
    assert np.abs(found - expected).max() < 0.02


@pytest.mark.parametrize("deviation", [0, 2, 10, 30])
def test_grain_tells_how_strong_noise_is(deviation: int) -> None:
    noise = np.random.default_rng(0).normal(0, deviation, (96, 144, 3)) if deviation else 0.0
    pixels = tf.constant((picture() + noise + 20).clip(0, 255).astype(np.uint8))
    grain = impressions.impressions(impressions.sample(pixels)[None], pixels[None])[0, TONES:].numpy()
    assert len(grain) == impressions.COUNT - TONES and np.all(np.diff(grain) >= 0)
    middle = np.interp(0.5, grain, impressions.GRAINS)
    assert middle <= 0.75 if not deviation else middle == pytest.approx(0.6745 * deviation, rel=0.4)


def test_pictures_of_a_pixel_have_impressions() -> None:
    pixels = tf.zeros([1, 1, 1, 3], tf.uint8)
    assert np.all(np.isfinite(impressions.impressions(impressions.sample(pixels[0])[None], pixels)))


def test_a_part_differs_by_step_and_is_all_without_a_seed() -> None:
    sampled = tf.random.stateless_uniform([2, impressions.SIDE, impressions.SIDE, 3], [0, 0], 0, 256, tf.int32)
    assert impressions.part(sampled, None) is sampled
    parts = [impressions.part(sampled, tf.constant([3, step], tf.int64)).numpy() for step in range(8)]
    assert all(impressions.SIDE // 2 <= one.shape[1] == one.shape[2] <= impressions.SIDE for one in parts)
    assert len({one.tobytes() for one in parts}) == 8
