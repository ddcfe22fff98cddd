"""What is done to training pictures in the graph."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.features import images

PICTURES = np.random.default_rng(0).integers(0, 256, (8, 9, 13, 3), np.uint8)


def moved(**most: float) -> np.ndarray:
    options = {"turn": 0.0, "scale": 0.0, "shift": 0.0} | most
    mirror = bool(options.pop("mirror", 0))
    seed = tf.constant([1, 2], tf.int64)
    return images.random_affine(tf.constant(PICTURES), **options, mirror=mirror, seed=seed).numpy()


def test_pictures_that_may_not_move_stay_as_they_are() -> None:
    assert (moved() == PICTURES).all()


def test_half_are_mirrored_about_their_middle() -> None:
    found = moved(mirror=1)
    mirrored = [(one == was[:, ::-1]).all() for one, was in zip(found, PICTURES, strict=True)]
    assert 1 <= sum(mirrored) < len(PICTURES)
    assert all((one == was).all() or turned for one, was, turned in zip(found, PICTURES, mirrored, strict=True))


def test_each_is_turned_scaled_and_moved_otherwise_and_equally_for_equal_seeds() -> None:
    options = {"turn": 0.3, "scale": 0.2, "shift": 0.2}
    assert (moved(**options) == moved(**options)).all()
    assert all((one != was).mean() > 0.5 for one, was in zip(moved(**options), PICTURES, strict=True))


def test_about_half_of_the_pictures_are_mirrored_by_their_seed() -> None:
    pictures = np.arange(200 * 2 * 3, dtype=np.uint8).reshape(200, 2, 3, 1)
    seed = tf.constant([3, 4], tf.int64)
    found = images.random_mirror(tf.constant(pictures), seed).numpy()
    mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in zip(found, pictures, strict=True)])
    kept = np.array([np.array_equal(a, b) for a, b in zip(found, pictures, strict=True)])
    assert np.all(mirrored ^ kept) and 60 < mirrored.sum() < 140
    np.testing.assert_array_equal(images.random_mirror(tf.constant(pictures), seed), found)
    assert not np.array_equal(images.random_mirror(tf.constant(pictures), seed + 1), found)
