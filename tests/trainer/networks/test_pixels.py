"""Levels that begin as no change, and bands that together with the last blur are the picture, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import pixels


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((1, height, width, 3)).astype(np.float32)


def test_levels_begin_as_no_change_and_undo_low_light() -> None:
    values = picture(5, 4)
    assert np.abs(pixels.Levels()([values, np.zeros((1, 3, 3), np.float32)]) - values).max() < 1e-6
    dark = 0.1 + 0.5 * values**2.0
    numbers = np.repeat([[np.log(2), 0.2, np.log(0.5)]], 3, axis=0)[None].transpose(0, 2, 1).astype(np.float32)
    assert np.abs(pixels.Levels()([dark.astype(np.float32), numbers]) - values).max() < 0.05


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 9), (40, 33)])
def test_of_an_even_picture_there_are_no_bands_at_any_size(height: int, width: int) -> None:
    bands = pixels.Bands()(tf.fill([1, height, width, 3], 0.7))
    assert len(bands) == len(pixels.BAND_STEPS) and all(np.abs(band).max() < 1e-6 for band in bands)


def test_bands_of_a_point_are_a_spline_and_reach_no_further_than_they_say() -> None:
    side = 2 * pixels.BAND_REACH + 5
    point = np.zeros((1, side, side, 1), np.float32)
    point[0, side // 2, side // 2] = 1
    finest, *_, coarsest = (band.numpy() for band in pixels.Bands()(tf.constant(point)))
    assert finest[0, side // 2, side // 2, 0] == pytest.approx(1 - (6 / 16) ** 2)
    assert finest[0, side // 2, side // 2 + 1, 0] == pytest.approx(-6 * 4 / 16**2)
    columns = np.flatnonzero(np.abs(coarsest[0, :, :, 0]).max(axis=0))
    assert [columns[0], columns[-1]] == [side // 2 - pixels.BAND_REACH, side // 2 + pixels.BAND_REACH]


def test_pictures_that_cannot_be_mended_do_not_drown_the_others() -> None:
    truth = np.full((2, 4, 4, 3), 100, np.uint8)
    answer = truth / 255 + np.array([0.1, 0.01])[:, None, None, None]
    losses = pixels.root_mean_squared_error(truth, tf.constant(answer, tf.float32)).numpy()
    assert losses == pytest.approx([0.1, 0.01], abs=1e-3)
