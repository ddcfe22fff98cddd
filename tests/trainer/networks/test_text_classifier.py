"""Two classifiers of texts as one, and the words that weighed in its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.networks.test_linear_text import LABELS, TEXTS, fingerprints
from trainer.backend import tf
from trainer.networks.linear_text import LinearText
from trainer.networks.text_classifier import WEIGHED, TextClassifier, weighed_most
from trainer.networks.text_encoders import BiLstm
from trainer.networks.word_vectors import WordVectors


def features(texts: list[str]) -> dict[str, Any]:
    found = fingerprints(texts)
    return {"words": tf.constant(found), "length": tf.constant((found != 0).sum(axis=1))}


@pytest.fixture(scope="module")
def model() -> TextClassifier:
    tf.keras.utils.set_random_seed(0)
    linear = LinearText({"words": fingerprints(TEXTS), "label": LABELS}, classes=3)
    vectors = WordVectors(["good", "bad", "film"], None, 8)
    return TextClassifier(vectors, BiLstm(8, 4), linear, 3, dropout=0.5, target="label")


def test_the_answer_is_the_mean_of_both(model: TextClassifier) -> None:
    given = features(["good film", ""])
    found, weights = model.answered(given)
    both = tf.nn.log_softmax(model(given)["label"]) + tf.nn.log_softmax(model.linear(given["words"]))
    np.testing.assert_allclose(found, tf.nn.log_softmax(both / 2), atol=1e-6)
    assert weights.shape == given["words"].shape
    assert (weights.numpy()[0, 2:] == 0).all() and (weights.numpy()[1] == 0).all()
    assert np.isfinite(found.numpy()).all()


def test_only_the_network_learns(model: TextClassifier) -> None:
    assert {id(one) for one in model.linear.weights}.isdisjoint(id(one) for one in model.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(features(["good film"]), training=True)["label"] ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


def test_training_makes_the_words_of_a_class_weigh_for_it(model: TextClassifier) -> None:
    given, labels = features(TEXTS), {"label": tf.constant(LABELS)}
    model.compile(tf.keras.optimizers.Adam(0.02), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(given, labels, epochs=40, verbose=0)
    probabilities, weights = model.answered(features(["a bad film"]))
    assert int(tf.argmax(probabilities[0])) == 1
    assert weights[0, 1] == tf.reduce_max(weights[0]) > 0


def test_the_words_that_weighed_most_come_first_whatever_their_sign() -> None:
    words = tf.constant([["a", "b", "c"], ["d", "", ""]])
    weights = tf.constant([[0.1, -0.9, 0.5], [-0.2, 0.0, 0.0]])
    found = weighed_most(weights, words, tf.constant([[0, 2, 4], [0, 0, 0]], tf.int64))
    assert found["weighed_words"].shape == [2, WEIGHED]
    assert found["weighed_words"].numpy()[0, :4].tolist() == [b"b", b"c", b"a", b""]
    assert found["begins"].numpy()[0, :4].tolist() == [2, 4, 0, -1]
    np.testing.assert_allclose(found["weights"].numpy()[1, :2], [-0.2, 0])
    many = weighed_most(tf.range(30.0)[None], tf.fill([1, 30], "w"), tf.range(30, dtype=tf.int64)[None])
    assert many["begins"].numpy()[0].tolist() == list(range(29, 19, -1))
