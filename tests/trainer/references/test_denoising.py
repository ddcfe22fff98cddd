"""Classical mending betters what it is for, and leaves alone what has nothing wrong."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics.fidelity import RestoredPsnr, RestoredSsim
from trainer.references import denoising


def clean() -> np.ndarray:
    pixels = np.add.outer(np.linspace(20, 120, 48), np.linspace(0, 60, 48))[..., None] * [1.0, 0.9, 0.6]
    pixels[12:30, 16:40] += 40
    return pixels.astype(np.uint8)


def noisy(deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, (48, 48, 3))
    return (clean() + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("deviation", [5.0, 20.0])
def test_noise_is_measured_and_averaged_away(deviation: float) -> None:
    assert 255 * denoising.noise_deviation(noisy(deviation) / 255) == pytest.approx(deviation, rel=0.15)
    better = denoising.non_local_means(noisy(deviation))
    assert RestoredPsnr.of(clean(), better) > RestoredPsnr.of(clean(), noisy(deviation)) + 3
    assert RestoredSsim.of(clean(), better) > RestoredSsim.of(clean(), noisy(deviation))


def test_an_even_picture_is_left_alone() -> None:
    even = np.full((16, 16, 3), 90, np.uint8)
    for method in (denoising.unchanged, denoising.non_local_means, denoising.non_local_means_stretched):
        assert np.array_equal(method(even), even)


def test_stretching_lights_a_dark_picture() -> None:
    dark = (clean() * 0.4).astype(np.uint8)
    assert np.percentile(denoising.stretched(dark), [0.5, 99.5]) == pytest.approx([0, 255], abs=2)


def test_fidelity_of_what_is_mended_is_of_all_colours_and_to_the_edge() -> None:
    answer = clean()
    answer[0, 0, 2] += 9
    assert RestoredPsnr.of(clean(), answer) == pytest.approx(10 * np.log10(255**2 * answer.size / 81))
    assert RestoredPsnr.of(clean(), clean()) == 100 and RestoredSsim.of(clean(), clean()) == pytest.approx(1)
