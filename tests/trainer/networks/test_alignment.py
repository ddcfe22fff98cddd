"""Which stretch of a recording is which character."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import alignment


def best_by_trying(scores: np.ndarray, places: int, frames: int) -> list[int]:
    """Durations of the best of all paths."""
    cuts = itertools.combinations(range(1, frames), places - 1)
    ways = [np.diff([0, *cut, frames]) for cut in cuts]
    return max(ways, key=lambda way: scores[np.arange(frames), np.repeat(np.arange(places), way)].sum()).tolist()


def test_the_best_of_all_paths_is_found_whatever_is_padded() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(4, 9, 5)).astype(np.float32)
    places, frames = [5, 3, 1, 4], [9, 7, 4, 4]
    found = alignment.durations(tf.constant(scores), tf.constant(places), tf.constant(frames)).numpy()
    for row, (count, length) in enumerate(zip(places, frames, strict=True)):
        assert found[row, :count].tolist() == best_by_trying(scores[row], count, length)
        assert not found[row, count:].any()


def test_too_few_frames_for_a_text_are_shared_out_all_the_same() -> None:
    found = alignment.durations(tf.zeros([1, 3, 5]), tf.constant([5]), tf.constant([2])).numpy()
    assert found.sum() == 2 and (found >= 0).all()


def test_scores_are_those_of_a_gaussian_of_each_symbol() -> None:
    rng = np.random.default_rng(4)
    features, mean = rng.normal(size=(2, 6, 3)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    deviation = rng.uniform(0.5, 2, (4, 3)).astype(np.float32)
    symbols = np.array([[3, 1], [0, -1]])
    found = alignment.scores(tf.constant(features), mean, deviation, tf.constant(symbols)).numpy()
    standard = (features[0, 5] - mean[1]) / deviation[1]
    assert found[0, 5, 1] == pytest.approx(-0.5 * (standard**2).sum() - np.log(deviation[1]).sum(), abs=1e-4)


def test_characters_are_found_from_equal_shares_on() -> None:
    rng = np.random.default_rng(5)
    sounds = 3 * rng.normal(size=(4, 6))
    texts = [rng.permutation(4)[: rng.integers(2, 5)] for _ in range(24)]
    lasting = [rng.integers(2, 9, len(text)) for text in texts]
    frames = np.array([one.sum() for one in lasting])
    features = np.zeros((24, frames.max(), 6), np.float32)
    symbols = np.full((24, 4), -1)
    for row, (text, each) in enumerate(zip(texts, lasting, strict=True)):
        heard = sounds[np.repeat(text, each)]
        features[row, : len(heard)] = heard + 0.2 * rng.normal(size=heard.shape)
        symbols[row, : len(text)] = text
    voice, found = alignment.learnt(features, frames, symbols, np.array([len(text) for text in texts]), 5)
    for row, each in enumerate(lasting):
        assert found[row, : len(each)].tolist() == each.tolist()
    np.testing.assert_allclose(voice.mean[:4], sounds, atol=0.2)
    np.testing.assert_allclose(
        voice.mean[4], features[np.arange(features.shape[1]) < frames[:, None]].mean(0), atol=1e-4
    )
