"""Colours taken over: means and deviations in L*a*b*, and what is where stays there."""

from __future__ import annotations

import numpy as np
from skimage import color

from trainer.references import colour_transfer


def test_means_and_deviations_become_the_styles() -> None:
    rng = np.random.default_rng(0)
    content = rng.normal((120, 110, 90), 18, (60, 80, 3)).clip(0, 255).astype(np.uint8)
    style = rng.normal((90, 120, 150), 9, (50, 30, 3)).clip(0, 255).astype(np.uint8)
    moved, wanted = (color.rgb2lab(x) for x in (colour_transfer.reinhard(content, style), style))
    np.testing.assert_allclose(moved.mean((0, 1)), wanted.mean((0, 1)), atol=0.3)
    np.testing.assert_allclose(moved.std((0, 1)), wanted.std((0, 1)), rtol=0.1)
    lightness = color.rgb2lab(content)[..., 0]
    assert np.corrcoef(lightness.ravel(), moved[..., 0].ravel())[0, 1] > 0.99


def test_a_picture_of_one_colour_takes_on_the_styles_mean() -> None:
    content, style = np.full((8, 8, 3), 40, np.uint8), np.full((4, 4, 3), (200, 100, 50), np.uint8)
    assert np.abs(colour_transfer.reinhard(content, style).astype(int) - style[0, 0]).max() <= 1


def test_a_blend_is_half_of_each_at_the_contents_size() -> None:
    content, style = np.full((6, 8, 3), 40, np.uint8), np.full((3, 3, 3), 200, np.uint8)
    assert np.array_equal(colour_transfer.blend(content, style), np.full((6, 8, 3), 120))
