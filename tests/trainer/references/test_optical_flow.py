"""The classical method knows which way things move, and nothing of what moves."""

from __future__ import annotations

import numpy as np

from trainer.references.optical_flow import CELLS, DIRECTIONS, flow_accuracy, histograms


def moving(right: int, down: int, rng: np.random.Generator, frames: int = 4) -> np.ndarray:
    """A part of smooth noise, uint8 `[frames, 40, 40, 3]`, in which all moves by so many pixels a frame."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(rng.normal(size=(80, 80, 3)), (2, 2, 0))
    wide = (127 + 110 * noise / np.abs(noise).max()).astype(np.uint8)
    return np.stack([wide[20 - i * down : 60 - i * down, 20 - i * right : 60 - i * right] for i in range(frames)])


def test_a_histogram_counts_what_moves_where() -> None:
    rng = np.random.default_rng(0)
    rightwards, upwards, still = histograms([moving(2, 0, rng), moving(0, -2, rng), moving(0, 0, rng)])
    cells = CELLS * CELLS
    directions = [
        found[: DIRECTIONS * cells].reshape(DIRECTIONS, cells).mean(axis=1) for found in (rightwards, upwards)
    ]
    assert [int(found.argmax()) for found in directions] == [0, 6]  # clockwise from the right, as rows go down
    assert still[: DIRECTIONS * cells].max() < 0.1 and still[DIRECTIONS * cells :][:cells].min() > 0.9
    assert rightwards[-2 * cells : -cells].mean() > 1.5 and upwards[-cells:].mean() < -1.5


def test_ways_are_learnt_and_one_class_or_one_frame_teaches_nothing() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(12) % 3
    clips = np.stack([moving(*((2, 0), (-2, 0), (0, 2))[which], rng) for which in labels])
    assert flow_accuracy(clips, labels, clips[::-1], labels[::-1], seed=0) == 1.0
    assert flow_accuracy(clips[..., :1], labels, clips[..., :1], labels, seed=0) == 1.0
    assert flow_accuracy(clips, 0 * labels, clips, labels, seed=0) is None
    assert flow_accuracy(clips[:, :1], labels, clips[:, :1], labels, seed=0) is None
