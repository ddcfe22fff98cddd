"""The linear classifier in the graph gives what scikit-learn gives, and says what each word adds."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import words
from trainer.networks.linear_text import LinearText
from trainer.references.tfidf import tfidf_probabilities

TEXTS = ["good good film", "a good plot", "bad film , bad", "a dull plot", "so so", "good , so good"]
LABELS = np.array([0, 0, 1, 1, 2, 0])


def fingerprints(texts: list[str]) -> np.ndarray:
    found = words.fingerprints(words.normalised(words.split_words(tf.constant(texts))))
    return np.asarray(found.to_tensor(words.PAD, shape=[None, 8]))


@pytest.fixture(scope="module")
def linear() -> LinearText:
    return LinearText({"words": fingerprints(TEXTS), "label": LABELS}, classes=3)


def test_it_is_scikit_learns_classifier(linear: LinearText) -> None:
    asked = fingerprints([*TEXTS, "a film of words never met", "bad bad bad good"])
    expected = tfidf_probabilities(fingerprints(TEXTS), LABELS, asked, 3, seed=0)
    np.testing.assert_allclose(tf.nn.softmax(linear(asked)), expected, atol=1e-3)


def test_what_words_add_is_the_answer(linear: LinearText) -> None:
    asked = fingerprints(["good plot , so dull"])
    log_odds = linear.log_odds(asked).numpy()[0] - linear.bias.numpy()
    answer = int(log_odds.argmax())
    added = linear.contributions(asked, tf.constant([answer])).numpy()[0]
    assert added.sum() == pytest.approx(log_odds[answer], abs=1e-5)
    assert (added[5:] == 0).all() and np.abs(added[:5]).max() > 0


def test_a_text_without_known_words_is_answered_by_how_often_classes_are(linear: LinearText) -> None:
    nothing = linear.log_odds(fingerprints(["", "unheard of"])).numpy()
    np.testing.assert_allclose(nothing, [linear.bias.numpy()] * 2)


@pytest.mark.parametrize("labels", [np.array([1, 1, 1, 1, 1, 1]), np.array([-1, -1, -1, -1, 1, 1])])
def test_of_one_class_it_says_nothing(labels: np.ndarray) -> None:
    linear = LinearText({"words": fingerprints(TEXTS), "label": labels}, classes=3)
    assert len(np.unique(linear(fingerprints(TEXTS)).numpy())) == 1


def test_a_class_that_was_not_met_is_the_least_likely() -> None:
    linear = LinearText({"words": fingerprints(TEXTS[:4]), "label": LABELS[:4]}, classes=3)
    assert (tf.argmin(linear(fingerprints(["a", ""])), axis=1).numpy() == 2).all()
