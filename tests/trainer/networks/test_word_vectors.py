"""Vectors of words: learnt, pretrained, and of words that are made of pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.assets.word_pieces import as_lines
from data.errors import WrongUse
from trainer.backend import tf
from trainer.features import words
from trainer.networks.word_vectors import WordVectors, read_pretrained

PIECES = ["[UNK]", "play", "##ing", "##s", "caf", "##e", "unseen", "Capital"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.savez(tmp_path / "own.npz", vectors=np.eye(len(PIECES), dtype="f4"), words=as_lines(PIECES))
    return tmp_path / "own.npz"


def test_a_word_is_the_mean_of_its_longest_pieces(file: Path) -> None:
    found = read_pretrained(file, ["play", "playing", "café", "none", "[unk]"])
    assert found is not None
    assert found.names == ["play", "playing", "café", "caf", "unseen", "capital"]
    raw = np.eye(len(PIECES))[[1, 4]]
    np.testing.assert_allclose(found.vectors[3] - found.vectors[0], (raw[1] - raw[0]) / scale(found.vectors), rtol=1e-5)
    mean = (np.eye(len(PIECES))[1] + np.eye(len(PIECES))[2]) / 2
    np.testing.assert_allclose(found.vectors[1] - found.vectors[0], (mean - raw[0]) / scale(found.vectors), rtol=1e-5)


def scale(vectors: np.ndarray) -> float:
    """What the vectors of the test, of which two differ by 1 in one place, were divided by."""
    return float(1 / np.abs(vectors[3] - vectors[0]).max())


def test_of_words_that_the_file_lacks_there_is_none(file: Path) -> None:
    assert read_pretrained(file, ["天", "地"]) is None


def test_a_file_that_names_no_words_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", vectors=np.eye(3))
    with pytest.raises(WrongUse, match="does not name the word of each vector"):
        read_pretrained(tmp_path / "own.npz", ["a"])


def test_each_word_has_its_vector_and_one_that_training_never_met_its_pretrained_one(file: Path) -> None:
    tf.keras.utils.set_random_seed(0)
    layer = WordVectors(["play", "café"], read_pretrained(file, ["play", "café"]), 4)
    asked = words.fingerprints_of(["play", "café", "unseen", "capital", "playing"])
    found = layer(tf.constant([[*asked, words.PAD]])).numpy()[0]
    assert found.shape == (6, 4) and np.unique(found.round(5), axis=0).shape[0] == 6
    own = [weight for weight in layer.trainable_variables if "own" in weight.name][0]
    own.assign(tf.zeros_like(own))
    pretrained = layer(tf.constant([[*asked, words.PAD]])).numpy()[0]
    assert (np.abs(pretrained[:4]).max(axis=1) > 1e-3).all()
    assert (pretrained[4:] == 0).all(), "what the file lacks has no pretrained vector"


def test_pretrained_vectors_are_not_trained(file: Path) -> None:
    layer = WordVectors(["play"], read_pretrained(file, ["play", "café"]), 4)
    assert [tuple(weight.shape) for weight in layer.non_trainable_variables] == [(6, len(PIECES))]


def test_without_a_vocabulary_words_share_vectors() -> None:
    assert WordVectors([], None, 4)(tf.constant([[5, 0]])).shape == [1, 2, 4]
