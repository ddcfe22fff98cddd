"""What classifiers share, on answers that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.families import classification
from trainer.preview import Bars, Picture
from trainer.task import DataSpec, HParams


def test_probabilities_come_with_the_name_of_each_class() -> None:
    logits = tf.math.log([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]])
    answers = classification.class_probabilities(logits, ["cat", "dog", "Ω"])
    np.testing.assert_allclose(answers["probabilities"], [[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]], atol=1e-6)
    assert [label.decode() for label in answers["label"].numpy()] == ["dog", "cat"]
    assert [[name.decode() for name in row] for row in answers["labels"].numpy()] == [["cat", "dog", "Ω"]] * 2


def test_half_precision_is_widened_before_the_softmax() -> None:
    answers = classification.class_probabilities(tf.constant([[12.0, 0.0]], tf.float16), ["a", "b"])
    assert answers["probabilities"].dtype == tf.float32
    assert 0 < float(answers["probabilities"][0, 1]) < 1e-5


def test_a_compiled_classifier_learns_from_class_indices() -> None:
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input([2], name="x")
    model = tf.keras.Model({"x": inputs}, {"label": tf.keras.layers.Dense(2, name="label")(inputs)})
    classification.compile_classifier(model, HParams(learning_rate=0.1), DataSpec({}, {}, 64, 100, dict))
    x = np.random.default_rng(1).normal(size=(64, 2)).astype("float32")
    label = (x[:, 0] > x[:, 1]).astype("int64")
    history = model.fit({"x": x}, {"label": label}, epochs=25, batch_size=16, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["accuracy"][-1] > 0.9


def test_accuracy_is_the_gate_and_every_slice_is_asked_for() -> None:
    found = classification.evaluation(0.9, ("label",), margin=0.02)
    [gate] = found.gates
    assert (gate.metric, gate.bound, gate.reference_margin) == ("accuracy", 0.9, 0.02)
    assert found.slices == ("label",) and found.label == "label" and found.prediction == "probabilities"


def pictures(count: int) -> dict[str, np.ndarray]:
    """Grey pictures of two classes, which their left half tells apart."""
    label = np.arange(count) % 2
    noise = np.random.default_rng(2).integers(0, 60, [count, 4, 4, 1])
    noise[:, :, :2] += (label * 150)[:, None, None, None]
    return {"image": noise.astype("uint8"), "label": label.astype("int64")}


def test_references_learn_from_pixels() -> None:
    found = classification.pixel_references(pictures(40), pictures(20), seed=1)
    assert found == {"logistic regression": {"accuracy": 1.0}, "3 nearest neighbours": {"accuracy": 1.0}}


def test_one_class_has_no_reference_and_few_examples_have_one() -> None:
    train = pictures(2)
    assert set(classification.pixel_references(train, train, seed=1)) == {"logistic regression", "3 nearest neighbours"}
    assert classification.pixel_references({**train, "label": np.zeros(2, "int64")}, train, seed=1) == {}


@pytest.mark.parametrize(("label", "title", "correct"), [(b"dog", "dog → cat", False), ("cat", "cat → cat", True)])
def test_the_preview_says_truth_and_answer(label: bytes | str, title: str, correct: bool) -> None:
    prediction = {"labels": [b"dog", b"cat", b"cow"], "probabilities": [0.3, 0.6, 0.1], "label": b"cat"}
    preview = classification.picture_preview(b"png", label, prediction, top=2)
    assert (preview.title, preview.correct) == (title, correct)
    picture, bars = preview.parts
    assert isinstance(picture, Picture) and isinstance(bars, Bars)
    assert list(bars.values.items()) == [("cat", 0.6), ("dog", 0.3)]


def test_an_unknown_truth_is_neither_right_nor_wrong() -> None:
    prediction = {"labels": [b"dog"], "probabilities": [1.0], "label": b"dog"}
    preview = classification.picture_preview(b"png", None, prediction)
    assert (preview.title, preview.correct, preview.slice) == ("dog", None, {})
