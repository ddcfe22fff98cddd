"""Curves and histograms of answers whose truth is known."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from trainer.preview import plots

CLASSES = ["a", "b", "c"]


def by_title(truth: np.ndarray, probabilities: np.ndarray, classes: list[str]) -> dict[str, plots.Plot]:
    drawn = {plot["title"]: plot for plot in plots.of_classifier(truth, probabilities, classes)}
    assert json.loads(json.dumps(drawn, allow_nan=False))
    return drawn


def sure(truth: np.ndarray, classes: int = 3) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[truth]


def test_a_perfect_classifier() -> None:
    truth = np.arange(30) % 3
    drawn = by_title(truth, sure(truth), CLASSES)
    assert list(drawn) == ["ROC", "Precision and recall", "Calibration", "Confidence of right and wrong answers"]
    assert "all classes, area 1.0000" in drawn["ROC"]["series"]
    assert "all classes, average 1.0000" in drawn["Precision and recall"]["series"]
    assert drawn["Calibration"]["series"]["model, error 0.0000"] == [[1.0, 1.0]]
    confidence = drawn["Confidence of right and wrong answers"]["series"]
    assert list(confidence) == ["right"] and confidence["right"][-1] == 30


def test_guesses_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, 2, 4000), rng.random(4000)
    [name] = [
        n for n in by_title(truth, np.stack([1 - scores, scores], 1), ["no", "yes"])["ROC"]["series"] if "yes" in n
    ]
    assert float(re.findall(r"area ([\d.]+)", name)[0]) == pytest.approx(0.5, abs=0.03)


def test_the_hardest_classes_are_shown_on_their_own() -> None:
    truth = np.arange(300) % 3
    confused = sure(np.where(truth == 2, 1, truth))  # every c is taken for a b
    shown = [name.partition(",")[0] for name in by_title(truth, confused, CLASSES)["ROC"]["series"]]
    assert shown == ["all classes", "c", "b", "by chance"]


def test_too_much_confidence_shows_as_an_error_of_calibration() -> None:
    truth = np.array([0, 1] * 50)
    drawn = by_title(truth, np.tile(np.float32([0.9, 0.1]), (100, 1)), ["a", "b"])  # sure to 90 %, right in 50 %
    assert drawn["Calibration"]["series"]["model, error 0.4000"] == [[pytest.approx(0.9), 0.5]]
    confidence = drawn["Confidence of right and wrong answers"]["series"]
    assert sum(confidence["right"]) == sum(confidence["wrong"]) == 50


def test_classes_that_nobody_has_seen_draw_no_curve_of_nothing() -> None:
    assert "ROC" not in by_title(np.zeros(5, int), sure(np.zeros(5, int), 2), ["a", "b"])
    drawn = by_title(np.full(5, -1), sure(np.zeros(5, int)), CLASSES)
    assert "ROC" not in drawn and list(drawn["Confidence of right and wrong answers"]["series"]) == ["wrong"]


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 20_000)
    curve = by_title(truth, rng.dirichlet([1, 1, 1], 20_000), CLASSES)["ROC"]["series"]
    points = next(iter(curve.values()))
    assert len(points) <= plots.MAX_POINTS and points[0] == [0.0, 0.0] and points[-1] == [1.0, 1.0]


def test_likeness_of_texts() -> None:
    plot = plots.of_likeness(np.array([0.0, 48.0, 52.0, 100.0]))
    counts = plot["series"]["texts"]
    assert (counts[0], counts[9], counts[10], counts[-1], sum(counts)) == (1, 1, 1, 1, 4)
    assert len(plot["edges"]) == len(counts) + 1 and "below 50" in plot["note"]


def test_errors_of_numbers() -> None:
    truth = np.linspace(0, 10, 100)
    plot = plots.of_numbers(truth, (truth + 2).astype(np.float32))
    counts, edges = plot["series"]["examples"], plot["edges"]
    assert sum(counts) == 100 and edges[0] <= 2 <= edges[-1] and "Mean 2" in plot["note"]


def test_a_task_that_classifies_says_so_in_one_call() -> None:
    labels = np.array([b"a", b"b", b"c"])
    predictions = [{"labels": labels, "probabilities": np.eye(3, dtype=np.float32)[i % 3]} for i in range(8)]
    examples = [{"label": name} for name in (b"a", b"b", b"c", b"a", b"b", b"a", b"z")] + [{}]
    drawn = {plot["title"]: plot for plot in plots.classifier(examples, predictions)}
    assert list(drawn) == ["ROC", "Precision and recall", "Calibration", "Confidence of right and wrong answers"]
    confidence = drawn["Confidence of right and wrong answers"]["series"]
    # The class of the seventh is unknown to the model, the eighth has none.
    assert (sum(confidence["right"]), sum(confidence["wrong"])) == (5, 2)


def test_a_task_that_answers_with_numbers_says_so_in_one_call() -> None:
    examples, predictions = [{"true": 1.0}, {"true": 2.0}, {}], [{"found": np.float32(4)}] * 3
    [plot] = plots.numbers(examples, predictions, truth="true", answer="found")
    assert plot["title"] == "Errors" and sum(plot["series"]["examples"]) == 2 and "Mean 2.5" in plot["note"]


def test_a_task_that_answers_with_texts_says_so_in_one_call() -> None:
    examples = [{"true": "naïve words".encode()}, {"true": b"other words"}]
    predictions = [{"found": "naïve words".encode()}, {"found": b"zzz"}]
    [plot] = plots.texts(examples, predictions, truth="true", answer="found")
    assert plot["series"]["texts"][0] == plot["series"]["texts"][-1] == 1


def test_confidence_is_told_apart_by_what_was_right() -> None:
    [plot] = plots.confidence([{"confidence": np.float32(c)} for c in (0.99, 0.98, 0.01)], [True, True, False])
    assert plot["series"]["right"][-1] == 2 and plot["series"]["wrong"][0] == 1


def test_of_examples_without_a_truth_nothing_is_drawn() -> None:
    assert not plots.classifier([{}], [{"labels": np.array([b"a"]), "probabilities": np.ones(1)}])
    assert not plots.numbers([{}], [{"found": 1.0}], truth="true", answer="found")
    assert not plots.texts([{}], [{"found": b"a"}], truth="true", answer="found")
    assert not plots.confidence([], [])
