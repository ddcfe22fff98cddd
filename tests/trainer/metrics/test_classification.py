"""Cross-entropy by hand, as Keras has it, and of classes that a model does not know."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.metrics.classification import CrossEntropy

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1.0, 0.0, 0.0]], np.float32)


def entropy(labels: list[int]) -> float:
    counts = [CrossEntropy.counts(np.array([label]), row) for label, row in zip(labels, PROBABILITIES, strict=True)]
    return CrossEntropy.value(np.sum(counts, axis=0))


@pytest.mark.parametrize("labels", [[0, 2, 0], [1, 0, 1]])
def test_it_is_as_keras_has_it(labels: list[int]) -> None:
    expected = tf.keras.losses.SparseCategoricalCrossentropy()(labels, PROBABILITIES).numpy()
    assert entropy(labels) == pytest.approx(expected, rel=1e-4)


def test_a_class_that_a_model_does_not_know_is_as_improbable_as_any_can_be() -> None:
    assert entropy([-1, 2, 0]) == pytest.approx((np.log(1e7) - np.log(0.8)) / 3, rel=1e-5)
