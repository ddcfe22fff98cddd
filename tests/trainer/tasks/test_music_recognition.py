"""Music recognition: windows of spectrograms through convolutions and a recurrent layer."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.tasks.music_recognition import MusicRecognition

HPARAMS = {"window_seconds": 0.5, "bands": 8, "filters": 2, "units": 4, "band_mask": 4, "time_mask": 8}


@pytest.fixture(scope="module")
def task() -> MusicRecognition:
    return MusicRecognition(MusicRecognition.HParams(**HPARAMS))


def test_what_the_network_finds_depends_on_the_order_of_sounds(task: MusicRecognition) -> None:
    window = tf.keras.Input([task.window_frames, 8])
    model = tf.keras.Model(window, task.network(window))
    heard = tf.random.stateless_normal([2, task.window_frames, 8], [1, 2])
    there, back = model(heard), model(heard[:, ::-1])
    assert there.shape == (2, 16)
    assert np.abs(there - back).max() > 1e-3


def test_masks_silence_whole_bands_and_stretches_alike_for_a_seed(task: MusicRecognition) -> None:
    decibels = tf.fill([4, task.window_frames, 8], -10.0)
    one, again = (task.augmented(decibels, {}, tf.constant([3, 4], tf.int64)).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert (one != -10.0).any() and (one == -10.0).any()
    assert one.min() >= task.floor


def test_scores_count_each_class_alike(task: MusicRecognition) -> None:
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 1])
    always_first = np.tile([0.9, 0.1], (8, 1))
    found = task.scores(labels, always_first)
    assert found["accuracy"] == pytest.approx(7 / 8)
    assert found["macro_f1"] == pytest.approx((2 * 7 / 15) / 2)
