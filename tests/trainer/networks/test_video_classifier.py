"""Optical flow is solved for, and a clip's features depend on the order of its frames."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import load_tensorflow, tf
from trainer.networks.video_classifier import LucasKanade, video_features

load_tensorflow()


def moving(right: float, down: float) -> np.ndarray:
    """Waves both ways that move by so many pixels a frame, float32 `[1, 4, 24, 24, 2]`."""
    y, x = np.mgrid[:24, :24]
    ways = [(x - right * i, y - down * i) for i in range(4)]
    frames = [np.stack([np.sin(a / 2) * np.cos(b / 3), np.cos(a / 3 + b / 2)], axis=-1) for a, b in ways]
    return np.stack(frames)[None].astype(np.float32)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.4), (0.3, -0.4)])
def test_flow_is_that_of_what_moves_however_bright(right: float, down: float) -> None:
    for clip in (moving(right, down), 0.4 * moving(right, down) + 0.3):
        flow = LucasKanade(5)(clip).numpy()
        assert flow.shape == (1, 4, 24, 24, 4)
        length = np.sqrt(1 + right**2 + down**2)
        found = np.median(flow[0, 1:, 4:-4, 4:-4, :2], axis=(0, 1, 2))
        assert found == pytest.approx([right / length, down / length], abs=0.06)
        assert not flow[0, 0, ..., :3].any(), "the first frame has none before it"
        assert flow[..., 3].mean() > 0.5


def test_where_there_is_nothing_to_see_nothing_moves_and_light_is_no_motion() -> None:
    grey = np.zeros((1, 3, 16, 16, 3), np.float32)
    grey[:, 1:] += 0.2  # a lamp is lit
    u, v, other, seen = np.moveaxis(LucasKanade(3)(grey).numpy()[0, 1], -1, 0)
    assert np.abs(u).max() == np.abs(v).max() == 0 and other.min() > 0.9 and seen.max() < 0.1


def test_features_depend_on_the_order_of_frames_and_all_weights_learn() -> None:
    clip = tf.keras.Input((3, 32, 32, 3))
    model = tf.keras.Model(clip, video_features(clip, filters=4, units=6, dropout=0.0))
    given = tf.random.stateless_normal([2, 3, 32, 32, 3], [1, 2])
    assert model(given).shape == (2, 6)
    assert not np.allclose(model(given), model(given[:, ::-1]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(given, training=True) ** 2)
    assert all(found is not None for found in tape.gradient(loss, model.trainable_weights))


def test_one_frame_is_a_clip_too() -> None:
    clip = tf.keras.Input((1, 40, 32, 1))
    assert video_features(clip, filters=2, units=5, dropout=0.1).shape == (None, 5)
