"""A pixel's class by its colour and its place."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.features.masks import UNSEEN
from trainer.references.pixel_classifier import logistic_regression


def coloured(seed: int, of_place: bool) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures `[6, 12, 16, 3]`; red is class 1, or, where it is of the place, what is in the lower half."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 60, (6, 12, 16, 3))
    red = rng.random((6, 12, 16)) < 0.4
    pictures[..., 0] += 180 * red
    lower = np.broadcast_to(np.arange(12)[:, None] >= 6, red.shape)
    return pictures.astype(np.uint8), (lower if of_place else red).astype(np.uint8)


@pytest.mark.parametrize("of_place", [False, True])
def test_it_tells_classes_by_colour_and_by_place(of_place: bool) -> None:
    pictures, masks = coloured(0, of_place)
    others, truth = coloured(1, of_place)
    answers = np.stack(list(logistic_regression(pictures, masks, others, seed=0)))
    assert answers.shape == truth.shape
    assert (answers == truth).mean() > 0.95 > max(truth.mean(), 1 - truth.mean()) + 0.2


def test_pixels_without_a_class_are_not_learnt_from() -> None:
    """Half of what is red is of no class: it decides nothing, and no answer is that."""
    pictures, masks = coloured(0, of_place=False)
    marred = masks.copy()
    marred[:3][masks[:3] == 1] = UNSEEN
    answers = np.stack(list(logistic_regression(pictures, marred, pictures, seed=0)))
    assert set(np.unique(answers)) == {0, 1} and (answers == masks).mean() > 0.95


def test_pictures_of_any_size_and_depth_are_answered_at_their_size() -> None:
    pictures, masks = coloured(0, of_place=False)
    [answer] = logistic_regression(pictures[..., :1], masks, pictures[:1, :5, :9, :1], seed=0)
    assert answer.shape == (5, 9)
