"""Random changes of pictures follow their seed."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.features import images


def test_about_half_of_the_pictures_are_mirrored_by_their_seed() -> None:
    pictures = np.arange(200 * 2 * 3, dtype=np.uint8).reshape(200, 2, 3, 1)
    seed = tf.constant([3, 4], tf.int64)
    found = images.random_mirror(tf.constant(pictures), seed).numpy()
    mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in zip(found, pictures, strict=True)])
    kept = np.array([np.array_equal(a, b) for a, b in zip(found, pictures, strict=True)])
    assert np.all(mirrored ^ kept) and 60 < mirrored.sum() < 140
    np.testing.assert_array_equal(images.random_mirror(tf.constant(pictures), seed), found)
    assert not np.array_equal(images.random_mirror(tf.constant(pictures), seed + 1), found)
