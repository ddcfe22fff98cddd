"""The classical classifier of texts, by fingerprints of their words."""

from __future__ import annotations

import numpy as np

from trainer.references.tfidf import tfidf_probabilities

TRAIN = np.array([[1, 2, 0], [1, 3, 0], [4, 2, 0], [4, 3, 4]], np.int32)
LABELS = np.array([0, 0, 1, 1])


def test_words_tell_classes_apart() -> None:
    found = tfidf_probabilities(TRAIN, LABELS, np.array([[1, 9, 9], [9, 4, 0]], np.int32), 3, seed=0)
    assert found is not None and found.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found[:, 2] == 0).all(), "a class that training lacks"


def test_pairs_tell_orders_apart() -> None:
    train = np.array([[1, 2], [2, 1]] * 4, np.int32)
    found = tfidf_probabilities(train, np.array([0, 1] * 4), train[:2], 2, seed=0)
    assert found is not None and found.argmax(axis=1).tolist() == [0, 1]


def test_where_there_is_nothing_to_tell_apart_there_is_no_reference() -> None:
    assert tfidf_probabilities(TRAIN, np.zeros(4, int), TRAIN, 2, seed=0) is None
    assert tfidf_probabilities(TRAIN, np.array([0, -1, -1, -1]), TRAIN, 2, seed=0) is None
    assert tfidf_probabilities(np.zeros_like(TRAIN), LABELS, TRAIN, 2, seed=0) is None
