"""The most similar picture of the train split."""

from __future__ import annotations

import numpy as np

from trainer.references.nearest_picture import nearest


def test_a_brighter_copy_is_nearest_to_what_it_was_made_of() -> None:
    train = np.random.default_rng(0).integers(0, 200, (6, 40, 30, 3), dtype=np.uint8)
    train = np.kron(train[:, ::10, ::10], np.ones((1, 10, 10, 1), np.uint8))
    order = [4, 0, 5]
    assert nearest(train, train[order] + np.uint8(20)).tolist() == order


def test_pictures_of_one_colour_have_a_nearest_too() -> None:
    plain = np.full((2, 8, 8, 1), 7, np.uint8)
    assert nearest(plain, plain).tolist() == [0, 0]
