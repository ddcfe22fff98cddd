"""What a report draws of many answers at once: curves and histograms, as plain numbers that JSON can hold.

A task's `plots` is one call of `classifier`, `numbers` or `texts`, or a list of calls of these, and of `confidence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from trainer.preview.wording import as_text

BINS = 20
"""Stretches of a histogram."""
CALIBRATION_BINS = 10
CONFIDENCE = "confidence"
"""What lies along the axis of `of_confidence`, whose series are right and wrong answers."""
MAX_POINTS = 150
"""Longer curves are thinned to it."""
MAX_CLASSES = 100
"""Of more classes no curve is drawn: each takes a pass over all scores."""
HARDEST = 2
"""Classes shown on their own, those that are told from the others worst."""

Array = np.ndarray[Any, Any]


class Plot(TypedDict, total=False):
    """`kind` is "lines", whose `series` are name -> [x, y] pairs, or "histogram", whose `series` are name -> counts
    between `edges`. `note` says what is to be seen."""

    kind: str
    title: str
    x_label: str
    y_label: str
    series: dict[str, Any]
    edges: list[float]
    note: str


Rows = Sequence[Mapping[str, Any]]
"""Examples, raw columns each, or the predictions of them: the arguments of `Task.plots`."""


def classifier(examples: Rows, predictions: Rows, truth: str = "label") -> Sequence[Plot]:
    """Those of `of_classifier`, of rows of `trainer.families.classification.class_probabilities`.

    `truth` is the column of the true class. Examples that lack it are left out, here and below.
    """
    rows = _known(examples, predictions, truth)
    if not rows:
        return ()
    classes = [as_text(name) for name in rows[0][1]["labels"]]
    index = {name: i for i, name in enumerate(classes)}
    true = np.array([index.get(as_text(value), -1) for value, _ in rows])
    return list(of_classifier(true, np.stack([answer["probabilities"] for _, answer in rows]), classes))


def numbers(examples: Rows, predictions: Rows, truth: str, answer: str) -> Sequence[Plot]:
    """The errors of an output that is one number, beside the column of the true one."""
    rows = _known(examples, predictions, truth)
    if not rows:
        return ()
    return [of_numbers(np.array([value for value, _ in rows]), np.array([found[answer] for _, found in rows]))]


def texts(examples: Rows, predictions: Rows, truth: str, answer: str) -> Sequence[Plot]:
    """How like an output that is one text is to the column of the true one."""
    from trainer.metrics.text import chrf, chrf_counts

    rows = _known(examples, predictions, truth)
    scores = [chrf(chrf_counts(as_text(found[answer]), as_text(value))) for value, found in rows]
    return [of_likeness(np.array(scores))] if scores else ()


def confidence(predictions: Rows, right: Sequence[bool]) -> Sequence[Plot]:
    """How sure right and wrong answers were: `predictions` with a `confidence` from 0 to 1, and which were right."""
    sure = np.array([prediction["confidence"] for prediction in predictions])
    return [of_confidence(sure, np.array(right, bool))] if len(sure) else ()


def _known(examples: Rows, predictions: Rows, truth: str) -> list[tuple[Any, Mapping[str, Any]]]:
    """The true value beside the prediction, where there is one."""
    pairs = zip(examples, predictions, strict=True)
    return [(example[truth], prediction) for example, prediction in pairs if example.get(truth) is not None]


def of_classifier(truth: Array, probabilities: Array, classes: Sequence[str]) -> Iterator[Plot]:
    """ROC, precision and recall, calibration and confidence.

    Args:
      truth: class indices `[examples]`; -1 is a class that the model does not know.
      probabilities: `[examples, classes]`.
      classes: their names.
    """
    scores: Scores = {}
    if len(classes) == 2:
        scores = _decidable({classes[1]: (truth == 1, probabilities[:, 1])})
    elif len(classes) <= MAX_CLASSES:
        scores = _one_against_rest(truth, probabilities, classes)
    if scores:
        yield _roc(scores)
        yield _precision_recall(scores)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    yield _calibration(sure, right)
    yield of_confidence(sure, right)


def of_confidence(confidence: Array, right: Array) -> Plot:
    """How sure the model was of its right and of its wrong answers. Both `[examples]`, confidence from 0 to 1."""
    edges = np.linspace(0, 1, BINS + 1)
    series = {
        name: np.histogram(confidence[chosen], edges)[0].tolist()
        for name, chosen in (("right", right), ("wrong", ~right))
        if chosen.any()
    }
    return {
        "kind": "histogram",
        "title": "Confidence of right and wrong answers",
        "x_label": CONFIDENCE,
        "y_label": "share of the right, of the wrong",
        "series": series,
        "edges": edges.tolist(),
        "note": "Where wrong answers are as sure as right ones, confidence cannot be used to hold answers back.",
    }


def of_numbers(truth: Array, predicted: Array) -> Plot:
    """How far a predicted number lies from the true one. Both `[examples]`."""
    errors = predicted.astype(np.float64) - truth.astype(np.float64)
    counts, edges = np.histogram(errors, 2 * BINS)
    return {
        "kind": "histogram",
        "title": "Errors",
        "x_label": "predicted less true",
        "y_label": "share of the examples",
        "series": {"examples": counts.tolist()},
        "edges": edges.tolist(),
        "note": f"Mean {errors.mean():.3g}: away from 0, the model leans to one side.",
    }


def of_likeness(scores: Array) -> Plot:
    """How much of each text is as a person wrote it. `[examples]`, chrF from 0 to 100."""
    edges = np.linspace(0, 100, BINS + 1)
    return {
        "kind": "histogram",
        "title": "Likeness of texts",
        "x_label": "chrF of one text",
        "y_label": "share of the texts",
        "series": {"texts": np.histogram(scores, edges)[0].tolist()},
        "edges": edges.tolist(),
        "note": f"Half of the texts are below {np.median(scores):.3g}. 100 is the person's text to the letter.",
    }


def of_precision(curves: Mapping[str, tuple[Array, Array]], note: str = "") -> Plot:
    """What share of what was found is right, by the share of what there is that was found.

    `curves` is name -> recalls, ascending, and the precision at each, from 0 to 1.
    """
    return {
        "kind": "lines",
        "title": "Precision and recall",
        "x_label": "recall",
        "y_label": "precision",
        "series": {name: _thinned(*curve) for name, curve in curves.items()},
        "note": note,
    }


Scores = dict[str, tuple[Array, Array]]
"""Name -> whether each decision's truth is yes, and the score of yes."""


def _one_against_rest(truth: Array, probabilities: Array, classes: Sequence[str]) -> Scores:
    """All decisions "is it this class?" together (the micro-average), and the classes that are hardest to tell."""
    from sklearn.metrics import roc_auc_score

    decided = _decidable({name: (truth == i, probabilities[:, i]) for i, name in enumerate(classes)})
    areas = {name: roc_auc_score(*pair) for name, pair in decided.items()}
    hardest = sorted(areas, key=areas.__getitem__)[:HARDEST]
    every = np.arange(len(classes)) == truth[:, None]
    together = _decidable({"all classes": (every.ravel(), probabilities.ravel())})
    return together | {name: decided[name] for name in hardest}


def _decidable(scores: Scores) -> Scores:
    """Those of which there are both examples that are it and examples that are not."""
    return {name: (truth, score) for name, (truth, score) in scores.items() if 0 < truth.sum() < len(truth)}


def _roc(scores: Scores) -> Plot:
    from sklearn.metrics import auc, roc_curve

    series: dict[str, Any] = {}
    for name, pair in scores.items():
        false, true, _ = roc_curve(*pair)
        series[f"{name}, area {auc(false, true):.4f}"] = _thinned(false, true)
    return {
        "kind": "lines",
        "title": "ROC",
        "x_label": "false positive rate",
        "y_label": "true positive rate",
        "series": series | {"by chance": [[0.0, 0.0], [1.0, 1.0]]},
        "note": _DECISION if len(scores) > 1 else "",
    }


def _precision_recall(scores: Scores) -> Plot:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves: dict[str, tuple[Array, Array]] = {}
    for name, pair in scores.items():
        precision, recall, _ = precision_recall_curve(*pair)
        curves[f"{name}, average {average_precision_score(*pair):.4f}"] = recall[::-1], precision[::-1]
    return of_precision(curves, _DECISION if len(scores) > 1 else "")


_DECISION = "One decision for each class and example: is it this class? The single classes are those told worst."


def _calibration(confidence: Array, right: Array) -> Plot:
    """Reliability and the expected calibration error (Guo et al. 2017)."""
    place = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    points, error = [], 0.0
    for i in range(CALIBRATION_BINS):
        chosen = place == i
        if chosen.any():
            said, held = float(confidence[chosen].mean()), float(right[chosen].mean())
            points.append([said, held])
            error += float(chosen.mean()) * abs(said - held)
    return {
        "kind": "lines",
        "title": "Calibration",
        "x_label": "confidence",
        "y_label": "share right",
        "series": {f"model, error {error:.4f}": points, "perfect": [[0.0, 0.0], [1.0, 1.0]]},
        "note": "Below the diagonal the model is surer than it should be.",
    }


def _thinned(x: Array, y: Array) -> list[list[float]]:
    """At most MAX_POINTS points, evenly along the curve's own length, its ends among them."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    kept = np.unique(np.searchsorted(length, np.linspace(0, length[-1], MAX_POINTS)).clip(0, len(x) - 1))
    return [[round(float(x[i]), 5), round(float(y[i]), 5)] for i in kept]
