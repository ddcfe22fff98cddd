"""Logistic regression on a few numbers: against scikit-learn's, with classes unseen and unknown."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from trainer.references.summary_statistics import logistic_probabilities

LABELS = np.array([0, 2] * 10)
NUMBERS = (np.random.default_rng(0).normal(size=(20, 3)) + LABELS[:, None]).astype(np.float32) * [1, 100, 0.01]


def test_probabilities_are_those_of_standardised_numbers_and_none_of_an_unseen_class() -> None:
    found = logistic_probabilities(NUMBERS, LABELS, NUMBERS, 4, seed=0)
    assert found is not None and found.shape == (20, 4) and not found[:, [1, 3]].any()
    standard = StandardScaler().fit_transform(NUMBERS)
    expected = LogisticRegression(max_iter=1000).fit(standard, LABELS).predict_proba(standard)
    assert found[:, [0, 2]] == pytest.approx(expected)


def test_an_example_of_an_unknown_class_teaches_nothing() -> None:
    more, labels = np.concatenate([NUMBERS, NUMBERS[:5] + 50]), np.concatenate([LABELS, [-1] * 5])
    found = logistic_probabilities(more, labels, NUMBERS, 3, seed=0)
    assert found == pytest.approx(logistic_probabilities(NUMBERS, LABELS, NUMBERS, 3, seed=0))


def test_one_class_has_no_reference() -> None:
    assert logistic_probabilities(NUMBERS, np.minimum(LABELS, 0), NUMBERS, 3, seed=0) is None
    assert logistic_probabilities(NUMBERS, np.where(LABELS, -1, 0), NUMBERS, 3, seed=0) is None
