"""Histograms of gradients see edges and their directions, not colours."""

from __future__ import annotations

import numpy as np

from trainer.references import hog


def stripes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Uint8 `[count, 60, 80, 3]` of upright (0) and lying (1) stripes, of colours and widths of chance."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pictures = np.empty((count, 60, 80, 3), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        back, front = rng.integers(0, 256, (2, 3))
        along = np.arange(60)[:, None] if label else np.arange(80)[None, :]
        on = np.broadcast_to((along + rng.integers(20)) // rng.integers(6, 12) % 2 == 0, (60, 80))
        picture[:] = np.where(on[..., None], front, back)
    return pictures, labels


def test_directions_are_told_apart_whatever_the_colours() -> None:
    (train, train_labels), (evaluated, labels) = stripes(40, seed=0), stripes(20, seed=1)
    assert hog.hog_accuracy(train, train_labels, evaluated, labels, seed=0) == 1.0
    assert hog.histograms(train[:3]).shape == (3, 1764)


def test_grey_pictures_are_read_too() -> None:
    pictures, labels = stripes(20, seed=2)
    grey = pictures[..., :1]
    assert hog.hog_accuracy(grey, labels, grey, labels, seed=0) is not None


def test_of_one_class_there_is_nothing_to_tell() -> None:
    pictures, labels = stripes(6, seed=3)
    assert hog.hog_accuracy(pictures, labels * 0, pictures, labels * 0, seed=0) is None
