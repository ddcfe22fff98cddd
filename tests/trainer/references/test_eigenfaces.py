"""Eigenfaces tell pictures apart by what differs among those that were learnt."""

from __future__ import annotations

import numpy as np

from trainer.references import eigenfaces


def test_pictures_of_one_pattern_have_a_higher_cosine() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (6, 8, 8, 1))
    pictures = np.clip(np.repeat(patterns, 5, axis=0) + rng.normal(0, 20, (30, 8, 8, 1)), 0, 255).astype(np.uint8)
    learnt = eigenfaces.learn(np.concatenate([pictures, pictures]), seed=0)
    found = eigenfaces.coordinates(pictures, learnt)
    assert found.shape == (30, 7) and found.dtype == np.float32
    same = eigenfaces.cosines(found[0::5], found[1::5])
    other = eigenfaces.cosines(found[0::5], np.roll(found[1::5], 1, axis=0))
    assert same.min() > other.max()
    assert eigenfaces.cosines(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0]


def test_the_nearest_and_one_s_own() -> None:
    gallery = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.0, 0.0]], np.float32)
    place, cosine = eigenfaces.nearest(np.array([[3.0, 0.1], [-1.0, 4.0]], np.float32), gallery)
    assert place.tolist() == [0, 1] and (cosine > 0.9).all()
    own = eigenfaces.own_cosines(gallery, np.array([5, 7, 5, 9]))
    np.testing.assert_allclose(own, [np.sqrt(0.5)] * 2, rtol=1e-6)
