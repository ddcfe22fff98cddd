"""What classifiers share: labels, loss, probabilities, metrics, references and the picture that a person sees."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.decisions import MEANT, NOT_SURE, Decided, Decides, Decision, reaches
from trainer.optimisers import optimizer
from trainer.preview import Bars, Part, Picture, Preview, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric


class Classifier(Decides):
    """Of a task that answers rows of `class_probabilities`, of which the column `label` is the truth: the likeliest
    class is the answer where its probability reaches the threshold."""

    def decisions(
        self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Collection[str]
    ) -> Decided | None:
        if example.get("label") is None:
            return None
        truth, likeliest = as_text(example["label"]), as_text(prediction["label"])
        return Decided([Decision(likeliest, _highest(prediction), likeliest == truth)], [truth])

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        """Beside `label`, `would_be` is the likeliest class, whatever its probability."""
        likeliest = prediction["label"]
        label = likeliest if reaches(_highest(prediction), threshold) else NOT_SURE.encode()
        return {**prediction, "label": label, MEANT: likeliest, "threshold": threshold}


def _highest(prediction: Mapping[str, Any]) -> float:
    return float(max(prediction["probabilities"]))


def index_labels(labels: Any, name: str) -> Any:
    """Class names, string `[batch]`, to class indices, int64 `[batch]`, by a vocabulary of the train split.

    A full pass, for use in `preprocess`. Names that the train split lacks become -1, which no prediction equals.
    """
    import tensorflow_transform as tft

    return tft.compute_and_apply_vocabulary(labels, default_value=-1, vocab_filename=name, num_oov_buckets=0)


def compile_classifier(model: Any, hparams: HParams, spec: DataSpec, warmup: int = 0, clip: float | None = None) -> Any:
    """Compiles a model of logits `[batch, classes]`, an output named as its target, with cross-entropy. `warmup` and
    `clip` are those of `trainer.optimisers.optimizer`."""
    model.compile(
        optimizer=optimizer(hparams, spec.steps, warmup=warmup, clip=clip),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile=hparams.xla,
    )
    return model


def class_probabilities(logits: Any, classes: Sequence[str]) -> Features:
    """Predictions of a classifier.

    Args:
      logits: float32 `[batch, classes]`.
      classes: class names in index order.

    Returns:
      `probabilities` float32 `[batch, classes]`, `labels` string `[batch, classes]` (the name of each) and `label`
      string `[batch]` (the most probable).
    """
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
    names = tf.constant(list(classes))
    return {
        "probabilities": probabilities,
        "labels": tf.broadcast_to(names, tf.shape(probabilities)),
        "label": tf.gather(names, tf.argmax(probabilities, axis=-1)),
    }


def evaluation(accuracy_bound: float | None, slices: tuple[str, ...], margin: float = 0.0) -> Evaluation:
    """Accuracy, cross-entropy and the confusion matrix of a single-label classifier; accuracy is the gate.

    Sliced by the label, accuracy is the recall of each class. `margin`: by how much the references must be beaten.
    """
    return Evaluation(
        prediction="probabilities",
        label="label",
        metrics=(
            Metric("accuracy", "SparseCategoricalAccuracy"),
            Metric("cross_entropy", "CrossEntropy", "trainer.metrics.classification"),
            Metric("confusion", "MultiClassConfusionMatrixPlot"),
        ),
        gates=(Gate("accuracy", bound=accuracy_bound, reference_margin=margin, baseline_margin=0.005),),
        slices=slices,
    )


def pixel_references(train: Arrays, evaluated: Arrays, seed: int) -> dict[str, dict[str, float]]:
    """Accuracy of logistic regression and of 3 nearest neighbours on raw pixels.

    Args:
      train: `image` uint8 `[examples, height, width, channels]` and `label` int64 `[examples]`.
      evaluated: the same of the eval split.
      seed: for the order in which logistic regression's solver goes through the data.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    x, x_eval = (_unit_pixels(arrays["image"]) for arrays in (train, evaluated))
    y, y_eval = train["label"], evaluated["label"]
    if len(set(y.tolist())) < 2:
        return {}
    methods = {
        "logistic regression": LogisticRegression(max_iter=100, C=0.1, tol=1e-3, random_state=seed),
        "3 nearest neighbours": KNeighborsClassifier(n_neighbors=min(3, len(y)), algorithm="brute"),
    }
    return {name: {"accuracy": float(method.fit(x, y).score(x_eval, y_eval))} for name, method in methods.items()}


def assess(example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
    """`Task.assess` of a row of `class_probabilities`: the loss is what the truth costs by cross-entropy."""
    return _assessed(example.get("label"), prediction)


def _assessed(label: Any, prediction: Mapping[str, Any]) -> Assessment:
    answer, probabilities = as_text(prediction["label"]), np.asarray(prediction["probabilities"], np.float64)
    sure = float(probabilities.max())
    if label is None:
        return Assessment(answer, confidence=sure)
    truth = as_text(label)
    given = probabilities[np.asarray(prediction["labels"]) == truth.encode()]
    is_meant = as_text(prediction.get(MEANT, answer)) == answer
    return assessment.of_decision(answer, sure, truth, answer == truth if is_meant else None, float(given.sum()))


def picture_preview(encoded: bytes, label: Any, prediction: Mapping[str, Any], top: int = 5) -> Preview:
    """The picture, as a file holds it, beside the most probable classes; see `answer_preview`."""
    return answer_preview([Picture(encoded, caption="")], label, prediction, top)


def answer_preview(parts: Sequence[Part], label: Any, prediction: Mapping[str, Any], top: int) -> Preview:
    """What was asked about, as `parts`, beside the most probable classes.

    Args:
      label: the true class as bytes or text, or None when it is not known.
      prediction: one row of `class_probabilities`, or what `Classifier.at_threshold` made of it.
      top: how many classes are shown.
    """
    probabilities = {
        as_text(n): float(p) for n, p in zip(prediction["labels"], prediction["probabilities"], strict=True)
    }
    best = sorted(probabilities, key=probabilities.__getitem__, reverse=True)[:top]
    assessed = _assessed(label, prediction)
    guess, truth = assessed.answer, None if label is None else assessed.truth
    meant = as_text(prediction.get(MEANT, guess))
    said = guess if meant == guess else f"{guess}: it would be {meant}"
    return Preview(
        title=said if truth is None else f"{truth} → {said}",
        correct=assessed.correct,
        slice={} if truth is None else {"label": truth},
        parts=(*parts, Bars({name: probabilities[name] for name in best}, caption="probability")),
    )


def _unit_pixels(pixels: Any) -> Any:
    return pixels.reshape(len(pixels), -1).astype("float32") / 255
