"""What classifiers of texts make of a text before the network, and show after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.transformed import write_transformed
from trainer.backend import tf
from trainer.families import texts
from trainer.features import words
from trainer.inputs import TransformedExamples
from trainer.packing import pack, unpack_batch
from trainer.preview import Bars, Words
from trainer.task import DataSpec
from trainer.tasks.text_classification import TextClassification, TextClassificationHParams
from trainer.tasks.topic_classification import TopicClassification, TopicClassificationHParams

TASK = TextClassification(TextClassificationHParams())
TRAIN = [("One film, two films.", "a"), ("天気がいい", "b"), ("three", "a")]


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "label": b"good",
        "labels": np.array([b"bad", b"good"]),
        "probabilities": np.array([0.2, 0.8]),
        "weighed_words": np.array([b"fun", b"slow", b""]),
        "weights": np.array([0.7, -0.2, 0.0]),
        "begins": np.array([7, 0, -1]),
        "words_left_out": 0,
        **changes,
    }


def test_what_spoke_for_the_answer_is_marked_and_what_spoke_against_it_named() -> None:
    shown = TASK.preview({"text": "slow, 👍fun".encode(), "label": b"good"}, answer())
    text, against, bars = shown.parts
    assert isinstance(text, Words) and isinstance(against, Words) and isinstance(bars, Bars)
    assert text.text[slice(*text.marks[0])] == "fun" and len(text.marks) == 1
    assert against.text == "slow" and "against" in against.caption
    assert shown.correct and shown.title == "good → good" and shown.slice == {"label": "good"}
    assert list(bars.values) == ["good", "bad"]
    assert TASK.preview({"text": b"slow, 12fun"}, answer()).correct is None


def test_what_was_not_read_is_said() -> None:
    cut = TASK.preview({"text": b"slow, 12fun"}, answer(words_left_out=12))
    assert isinstance(cut.parts[2], Words) and cut.parts[2].caption == "not read"
    assert "the last 12 words" in cut.parts[2].text
    row = TASK.answer_row({}, answer(words_left_out=12))
    assert row["words_left_out"] == 12 and row["weighed"] == "fun +0.70, slow -0.20"
    assert not row.keys() & {"weighed_words", "weights", "begins"}
    assert "words_left_out" not in TASK.answer_row({}, answer())


@pytest.mark.parametrize("max_words", [4096, 2])
def test_training_reads_texts_to_its_longest_and_no_farther_than_it_may(tmp_path: Path, max_words: int) -> None:
    task = TextClassification(TextClassificationHParams(max_words=max_words))
    rows = [{"text": text, "label": label} for text, label in TRAIN]
    asked = [*rows, {"text": "word " * 10, "label": "c"}]
    columns = {"text": tf.string, "label": tf.string}
    files = write_transformed(lambda raw: pack(task.preprocess(raw)), columns, rows, tmp_path)
    examples = TransformedExamples(files, str(tmp_path / "graph"), task)
    raw = {name: tf.constant([row[name] for row in asked]) for name in columns}
    found = unpack_batch(examples.transform_output.transform_raw_features(raw), examples.stored)
    longest = min(8, max_words)
    lengths = [6, 5, 1, 10]
    numbers = task.batch(found, None)["words"].numpy()
    assert numbers.shape == (4, longest) and numbers.dtype == np.int32
    assert found["length"].numpy().tolist() == [min(length, longest) for length in lengths]
    assert found["words_up_to"].numpy().tolist() == [8, 8, 1, 16]
    assert found["label"].numpy().tolist() == [0, 1, 0, -1]
    assert numbers[0, :2].tolist() == words.fingerprints_of(["one", "film"]).tolist()
    assert (numbers[2, 1:] == words.PAD).all()
    assert set(examples.vocabularies["words"]) >= {"one", "film", "天", "."}
    assert examples.arrays()["words"].shape == (3, longest)


def test_training_has_no_use_for_the_text() -> None:
    features = {"words": tf.zeros([1, 2, 4], tf.uint8), "text": tf.constant(["x"])}
    assert "text" not in TASK.batch(features, tf.constant([0, 1], tf.int64))
    assert "text" in TASK.batch(features, None)


def spec(train: dict[str, Any]) -> DataSpec:
    vocabularies = {"words": ["good", "bad"], "label": ["neg", "pos"]}
    return DataSpec({}, vocabularies, 4, steps=4, train=lambda limit, only: train)


@pytest.mark.parametrize(
    "task",
    [
        TextClassification(TextClassificationHParams(vectors="none", vector_size=8, units=4)),
        TopicClassification(TopicClassificationHParams(vectors="none", vector_size=8, heads=2, layers=1)),
    ],
)
def test_an_answer_names_its_words_as_they_stand_in_the_text(task: Any) -> None:
    given = ["Good good", "bad", "good", "BAD film"]
    found = words.normalised(words.split_words(tf.constant(given)))
    numbers = words.fingerprints(found).to_tensor(0).numpy()
    train = {"words": numbers, "label": np.array([1, 0, 1, 0]), "length": found.row_lengths().numpy()}
    model = task.build_model(spec(train))
    asked = {
        "words": tf.pad(tf.constant(numbers), [[0, 0], [0, 6]]),
        "length": found.row_lengths(),
        "text": tf.constant(given),
    }
    answered = task.predict(model, asked, spec(train))
    assert answered["probabilities"].shape == [4, 2]
    first = [word.decode() for word in answered["weighed_words"].numpy()[3] if word]
    assert sorted(first) == ["BAD", "film"]
    begins = sorted(answered["begins"].numpy()[3].tolist())
    assert begins == [-1] * 8 + [0, 4]
    scores = task.reference(train, train, spec(train))[texts.REFERENCE]
    assert scores["accuracy"] == 1 and all(0 <= score <= 1 for score in scores.values())
    assert task.reference({**train, "label": np.ones(4, int)}, train, spec(train)) == {}


def test_words_that_weigh_next_to_nothing_are_not_shown() -> None:
    shown = TASK.preview({"text": b"slow, 12fun"}, answer(weights=np.array([0.7, -0.01, 0.0])))
    assert len(shown.parts) == 2


def test_a_text_longer_than_any_of_training_is_read_whole_and_one_too_long_says_how_much_is_not() -> None:
    task = TextClassification(TextClassificationHParams(vectors="none", vector_size=8, units=4, max_words=300))
    train = {"words": words.fingerprints_of(["good", "bad"])[:, None], "label": np.array([1, 0])}
    train["length"] = np.array([1, 1])
    model = task.build_model(spec(train))
    given = ["word " * 299 + "bad", "word " * 310, "good", "\u200b"]
    found = task.predict(model, {"text": tf.constant(given)}, spec(train))
    assert found["words_left_out"].numpy().tolist() == [0, 10, 0, 0]
    assert b"bad" in found["weighed_words"].numpy()[0]
    assert np.isfinite(found["probabilities"].numpy()).all()
