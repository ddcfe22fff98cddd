"""Two pictures are the same person's or not: what is asked for, shown and drawn."""

from __future__ import annotations

import numpy as np
import pytest

from data.columns import samples
from pipelines.console.usage import usage
from trainer.backend import tf
from trainer.tasks.face_verification import FaceVerification, FaceVerificationHParams, _hashed

ANSWER = {"label": b"same", "score": 0.81, "threshold": 0.7, "probability": 0.9, "same": 1}
PICTURE = samples.png(np.zeros((8, 8), np.uint8)).content


def test_two_pictures_are_asked_for() -> None:
    asked = "benison predict face_verification --input image=FILE --input partner=FILE"
    assert usage("face_verification") == asked


@pytest.mark.parametrize(("truth", "correct"), [({}, None), ({"same": 1}, True), ({"same": 0}, False)])
def test_both_are_shown_beside_the_score_and_the_threshold(truth: dict, correct: bool | None) -> None:
    task = FaceVerification(FaceVerificationHParams())
    shown = task.preview({"image": PICTURE, "partner": PICTURE, "person": b"Ann"} | truth, ANSWER)
    assert shown.title == "the same person: 0.810, threshold 0.700" and shown.correct is correct
    assert [part.caption for part in shown.parts[:2]] == ["Ann", ""]
    assert shown.parts[2].values == {"score": 0.81, "threshold": 0.7}
    row = task.answer_row({}, ANSWER | {"label": "same"})
    assert row == {"answer": "same", "score": 0.81, "threshold": 0.7, "probability": 0.9}


def test_names_become_numbers_that_tell_nothing_and_none_where_there_is_none() -> None:
    names = tf.sparse.from_dense(tf.constant([["Ann"], [""], ["Bob"], ["Ann"]]))
    ann, nobody, bob, again = _hashed(names).numpy().tolist()
    assert nobody == -1 and ann == again != bob and min(ann, bob) >= 0
    assert _hashed(tf.sparse.from_dense(tf.constant([[""]]))).numpy().tolist() == [-1]


def test_training_pictures_are_moved_each_in_its_own_way() -> None:
    task = FaceVerification(FaceVerificationHParams())
    pictures = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 12, 12, 1), np.uint8))
    features = {"image": pictures, "partner": pictures, "same": tf.constant([1, 1])}
    assert task.batch(features, None) is features
    moved = task.batch(features, tf.constant([0, 3], tf.int64))
    assert moved["image"].shape == (2, 12, 12, 1) and moved["image"].dtype == tf.uint8
    assert (moved["image"].numpy() != moved["partner"].numpy()).any()


def test_the_report_draws_the_curves_of_one_decision() -> None:
    task = FaceVerification(FaceVerificationHParams())
    answers = [{"probability": 0.9}, {"probability": 0.2}]
    drawn = [plot["title"] for plot in task.plots([{"same": 1}, {"same": 0}], answers)]
    assert drawn[0] == "ROC" and task.plots([], []) == ()
