"""Metrics of classifiers by hand, as Keras and scikit-learn have them, and of classes that a model does not know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

from trainer.backend import tf
from trainer.metrics.classification import (
    AreaUnderCurve,
    CrossEntropy,
    MacroF1,
    ShareAboveZero,
    UnweightedAverageRecall,
    area,
    score_counts,
)
from trainer.metrics.counts import CountsMetric

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1.0, 0.0, 0.0]], np.float32)


def summed(metric: type[CountsMetric], labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    pairs = zip(labels, predictions, strict=True)
    return np.asarray(np.sum([metric.counts(np.array([label]), row) for label, row in pairs], axis=0))


def entropy(labels: list[int]) -> float:
    return CrossEntropy.value(summed(CrossEntropy, np.array(labels), PROBABILITIES))


def drawn(classes: int, examples: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=examples)
    scores = rng.normal(size=(examples, classes)) + 1.2 * np.eye(classes)[labels]
    return labels, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("labels", [[0, 2, 0], [1, 0, 1]])
def test_it_is_as_keras_has_it(labels: list[int]) -> None:
    expected = tf.keras.losses.SparseCategoricalCrossentropy()(labels, PROBABILITIES).numpy()
    assert entropy(labels) == pytest.approx(expected, rel=1e-4)


def test_a_class_that_a_model_does_not_know_is_as_improbable_as_any_can_be() -> None:
    assert entropy([-1, 2, 0]) == pytest.approx((np.log(1e7) - np.log(0.8)) / 3, rel=1e-5)


@pytest.mark.parametrize("classes", [2, 5])
def test_macro_f1_is_scikit_learns_and_from_summed_counts(classes: int) -> None:
    labels, probabilities = drawn(classes)
    answers = probabilities.argmax(axis=1)
    counts = summed(MacroF1, labels, probabilities)
    assert MacroF1.value(counts) == pytest.approx(f1_score(labels, answers, average="macro"))
    accuracy = accuracy_score(labels, answers)
    assert MacroF1.scores(labels, probabilities) == {"macro_f1": MacroF1.value(counts), "accuracy": accuracy}
    by_class = MacroF1.of_classes(counts)
    expected = f1_score(labels, answers, average=None)
    assert [by_class[i][0] for i in range(classes)] == pytest.approx(expected.tolist())
    assert sum(count for _, count in by_class.values()) == len(labels)


def test_a_class_without_examples_and_answers_counts_nowhere_and_an_unknown_one_as_0() -> None:
    probabilities = np.eye(4)[[0, 0, 1]]
    counts = summed(MacroF1, np.array([0, 0, 1]), probabilities)
    assert MacroF1.value(counts) == 1 and set(MacroF1.of_classes(counts)) == {0, 1}
    unknown = summed(MacroF1, np.array([0, 0, -1]), probabilities)
    assert MacroF1.value(unknown) == pytest.approx((1 + 0 + 0) / 3)
    assert set(MacroF1.of_classes(unknown)) == {0, 1}


@pytest.mark.parametrize("classes", [2, 5])
def test_unweighted_average_recall_is_scikit_learns_balanced_accuracy(classes: int) -> None:
    labels, probabilities = drawn(classes)
    rare = (labels > 0) | (np.arange(len(labels)) % 5 == 0)
    labels, probabilities = labels[rare], probabilities[rare]
    answers = probabilities.argmax(axis=1)
    counts = summed(UnweightedAverageRecall, labels, probabilities)
    assert UnweightedAverageRecall.value(counts) == pytest.approx(balanced_accuracy_score(labels, answers))
    scores = UnweightedAverageRecall.scores(labels, probabilities)
    assert scores["unweighted_average_recall"] == UnweightedAverageRecall.value(counts)
    unknown = summed(UnweightedAverageRecall, np.array([0, -1]), np.eye(2)[[0, 0]])
    assert UnweightedAverageRecall.value(unknown) == 0.5 and set(UnweightedAverageRecall.of_classes(unknown)) == {0}


def test_the_area_of_two_classes_and_the_mean_of_more_are_scikit_learns() -> None:
    labels, probabilities = drawn(2)
    expected = roc_auc_score(labels, probabilities[:, 1])
    assert AreaUnderCurve.value(summed(AreaUnderCurve, labels, probabilities)) == pytest.approx(expected, abs=2e-3)
    labels, probabilities = drawn(4)
    expected = roc_auc_score(labels, probabilities, multi_class="ovr")
    assert AreaUnderCurve.value(summed(AreaUnderCurve, labels, probabilities)) == pytest.approx(expected, abs=2e-3)
    assert area(score_counts(labels, probabilities)) == pytest.approx(expected, abs=2e-3)


def test_no_area_is_where_nothing_is_to_be_told_apart_and_equal_scores_are_half_right() -> None:
    assert math.isnan(area(score_counts(np.array([1, 1]), np.array([[0.5, 0.5], [0.2, 0.8]]))))
    assert area(score_counts(np.array([0, 1]), np.full((2, 2), 0.5))) == 0.5
    assert area(score_counts(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))) == 1


def test_a_share_is_of_all_examples() -> None:
    counts = summed(ShareAboveZero, np.zeros(4), np.array([0, 3, 0, 1]))
    assert ShareAboveZero.value(counts) == 0.5
