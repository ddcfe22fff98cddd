"""Answers at a threshold that a person chose: one way for all tasks that have a score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from data.errors import BenisonError, WrongUse
from trainer import decisions
from trainer.decisions import Decides, Decision
from trainer.task import load, task_names

TAKES = {name for name in task_names() if issubclass(load(name), Decides)}
LIKELY = {
    "label": b"cat",
    "labels": np.array([b"cat", b"dog"]),
    "probabilities": np.array([0.7, 0.3], np.float32),
}


def made(name: str) -> Any:
    task = load(name)
    return task(task.HParams())


def test_classifiers_detectors_and_those_who_recognise_take_one() -> None:
    classify = {name for name in task_names() if name.endswith(("_classification", "_recognition", "_verification"))}
    assert (classify - {"speech_recognition"}) | {"object_detection", "dialogue_system", "keyword_spotting"} <= TAKES
    assert not TAKES & {"speech_recognition", "machine_translation", "gan", "sequence_regression", "recommendation"}


def test_others_say_so() -> None:
    with pytest.raises(WrongUse, match="machine_translation takes no threshold"):
        decisions.chosen(made("machine_translation"), "machine_translation", 0.5)
    assert decisions.chosen(made("machine_translation"), "machine_translation", None)(LIKELY) is LIKELY


@pytest.mark.parametrize("threshold", [-0.01, 1.01, math.nan, math.inf])
def test_it_is_from_0_to_1(threshold: float) -> None:
    with pytest.raises(WrongUse, match="not one from 0 to 1"):
        decisions.chosen(made("image_classification"), "image_classification", threshold)


@pytest.mark.parametrize(
    ("threshold", "said", "title", "correct"),
    [(0.7, b"cat", "cat", True), (0.71, b"not sure", "not sure: it would be cat", None)],
)
def test_a_classifier_that_is_not_sure_says_what_it_would_be(
    threshold: float, said: bytes, title: str, correct: bool | None
) -> None:
    task = made("text_classification")
    answer = task.at_threshold(LIKELY, threshold)
    assert answer["label"] == said and answer["would_be"] == b"cat" and answer["threshold"] == threshold
    weighed = {"weighed_words": np.array([b""]), "weights": np.zeros(1), "begins": np.array([-1]), "words_left_out": 0}
    shown = task.preview({"text": b"meow", "label": b"cat"}, answer | weighed)
    assert shown.title == f"cat → {title}" and shown.correct is correct


@pytest.mark.parametrize("name", sorted(name for name in TAKES if "label" in load(name).columns))
def test_what_a_classifier_decides_is_its_likeliest_class(name: str) -> None:
    decided = made(name).decisions({"label": b"dog"}, LIKELY, ())
    [decision] = decided.decisions
    assert decision.name == "cat" and not decision.right and abs(decision.score - 0.7) < 1e-6
    assert decided.there == ["dog"]
    assert made(name).decisions({}, LIKELY, ()) is None


def test_a_word_below_the_threshold_is_unknown() -> None:
    task = made("keyword_spotting")
    heard = LIKELY | {"answer": b"unknown", "answer_index": -1, "threshold": 0.9}
    assert task.at_threshold(heard, 0.5) | {"labels": 0, "probabilities": 0} == {
        "label": b"cat", "labels": 0, "probabilities": 0, "would_be": b"cat",
        "answer": b"cat", "answer_index": 0, "threshold": 0.5,
    }  # fmt: skip
    refused = task.at_threshold(heard, 0.8)
    assert (refused["answer"], refused["answer_index"], refused["label"]) == (b"unknown", -1, b"not sure")


NEAREST = {
    "label": b"unknown",
    "names": np.array([b"Ann", b"Bob"]),
    "scores": np.array([0.8, 0.6], np.float32),
    "score": np.float32(0.8),
    "threshold": 0.9,
    "nearest": 4,
    "answer": -1,
}


def test_who_is_near_enough_is_named_by_the_chosen_threshold() -> None:
    task = made("face_recognition")
    known, stranger = task.at_threshold(NEAREST, 0.8), task.at_threshold(NEAREST, 0.81)
    assert (known["label"], known["answer"], known["threshold"]) == (b"Ann", 4, 0.8)
    assert (stranger["label"], stranger["answer"], stranger["threshold"]) == (b"unknown", -1, 0.81)
    enrolled = {name: value for name, value in NEAREST.items() if name not in ("nearest", "answer")}
    assert "answer" not in task.at_threshold(enrolled, 0.5)


def test_strangers_are_not_to_be_found() -> None:
    task = made("face_recognition")
    assert task.decisions({"person": b"Ann"}, NEAREST, {"Ann"}).there == ["Ann"]
    stranger = task.decisions({"person": b"Eve"}, NEAREST, {"Ann"})
    [decision] = stranger.decisions
    assert (decision.name, decision.right, list(stranger.there)) == ("Ann", False, [])


def test_the_reply_is_that_of_the_answer() -> None:
    task = made("dialogue_system")
    found = {name: value for name, value in NEAREST.items() if name != "names"} | {"intents": NEAREST["names"]}
    found |= {"reply": b"Sorry?", "nearest_reply": b"Done.", "unknown_reply": b"Sorry?"}
    assert task.at_threshold(found, 0.5)["reply"] == b"Done."
    assert task.at_threshold(found, 0.95)["reply"] == b"Sorry?"
    del found["nearest_reply"]
    with pytest.raises(BenisonError, match="has one reply alone"):  # a model that was pushed before
        task.at_threshold(found, 0.5)


def test_two_faces_are_the_same_from_the_threshold_on() -> None:
    task = made("face_verification")
    answer = {"label": b"same", "score": 0.75, "threshold": 0.7, "probability": 0.9, "same": 1}
    other = task.at_threshold(answer, 0.76)
    assert (other["label"], other["same"], other["threshold"]) == (b"different", 0, 0.76)
    decided = task.decisions({"same": 0}, answer, ())
    assert decided.decisions == [Decision("same person", 0.75, False)] and list(decided.there) == []


BOXES = {
    "detections": np.array([[0, 0, 10, 10, 0, 0.9], [0, 0, 9, 9, 0, 0.6], [0, 0, 0, 0, -1, 0]], np.float32),
    "boxes": np.array([[0, 0, 10, 10], [0, 0, 9, 9], [0, 0, 0, 0]], np.float32),
    "labels": np.array([b"cup", b"cup", b""]),
    "scores": np.array([0.9, 0.6, 0.0], np.float32),
    "count": 2,
}


@pytest.mark.parametrize(("threshold", "left"), [(0.0, 2), (0.6, 2), (0.61, 1), (0.91, 0)])
def test_boxes_below_the_threshold_are_left_out(threshold: float, left: int) -> None:
    answer = made("object_detection").at_threshold(BOXES, threshold)
    assert {len(answer[name]) for name in ("detections", "boxes", "labels", "scores")} == {left} == {answer["count"]}
    row = made("object_detection").answer_row({}, answer)
    assert row["found"] == left


def test_each_object_is_found_once() -> None:
    example = {"objects": [0, 0, 10, 10, 50, 50, 8, 8], "objects_label": [b"cup", b"pot"]}
    decided = made("object_detection").decisions(example, BOXES, ())
    assert sorted(decided.decisions, key=lambda one: -one.score) == [
        Decision("cup", 0.9, True),
        Decision("cup", 0.6, False),
    ]
    assert sorted(decided.there) == ["cup", "pot"]
