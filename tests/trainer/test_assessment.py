"""What one answer was worth."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from trainer import assessment
from trainer.assessment import Assessment
from trainer.families import classification, restoration
from trainer.task import Task, load, task_names

PREDICTION = {
    "labels": np.array([b"cat", b"dog", b"emu"], object),
    "probabilities": np.array([0.7, 0.3, 0.0], np.float32),
    "label": b"cat",
}


@pytest.mark.parametrize("name", task_names())
def test_every_task_says_what_its_answers_are_worth(name: str) -> None:
    assert load(name).assess is not Task.assess


def test_a_class_costs_what_its_probability_says() -> None:
    right = classification.assess({"label": b"cat"}, PREDICTION)
    wrong = classification.assess({"label": b"dog"}, PREDICTION)
    assert (right.answer, right.truth, right.correct, wrong.correct) == ("cat", "cat", True, False)
    assert right.confidence == wrong.confidence == pytest.approx(0.7)
    assert right.loss == pytest.approx(-math.log(0.7)) and wrong.loss == pytest.approx(-math.log(0.3))


@pytest.mark.parametrize("label", [b"emu", b"yak"])
def test_a_class_without_a_probability_costs_no_more_than_the_metric_says(label: bytes) -> None:
    assert classification.assess({"label": label}, PREDICTION).loss == pytest.approx(-math.log(1e-7))


def test_where_the_truth_is_not_known_nothing_is_judged() -> None:
    unjudged = [
        classification.assess({}, PREDICTION),
        assessment.of_number(None, 2.0),
        assessment.of_texts([], "two", 0.5),
        assessment.of_nearest(None, "ann", {"ann": 0.9}, "unknown"),
    ]
    assert {(one.truth, one.correct, one.loss) for one in unjudged} == {("", None, None)}
    assert [one.answer for one in unjudged] == ["cat", "2", "two", "ann"]


def test_a_number_costs_its_distance() -> None:
    assert assessment.of_number(2.0, 1.5, True) == Assessment(
        "1.5", "2", True, loss=0.5, loss_name="distance from the truth"
    )


def test_a_text_is_held_to_the_one_that_is_most_like_it() -> None:
    found = assessment.of_texts(["a red ball", "a blue hat"], "a blue hat")
    assert (found.truth, found.loss) == ("a blue hat", 0.0)
    assert 0 < (assessment.of_texts(["a red ball"], "a red hat").loss or 0) < 100


def test_who_is_refused_is_right_or_wrong_only_if_known() -> None:
    nearest = {"ann": 0.8, "bob": 0.7}
    refused = assessment.of_nearest("bob", "unknown", nearest, "unknown")
    stranger = assessment.of_nearest("eve", "unknown", nearest, "unknown")
    taken = assessment.of_nearest("eve", "ann", nearest, "unknown")
    assert (refused.correct, stranger.correct, taken.correct) == (False, None, False)
    assert refused.loss == pytest.approx(0.1) and stranger.loss is taken.loss is None
    assert assessment.of_nearest("ann", "ann", nearest, "unknown").loss == 0.0


@pytest.mark.parametrize("kind", ["Restored", "Enlarged"])
def test_a_picture_costs_its_distance_from_the_middle_of_the_truth(kind: str) -> None:
    truth, answer = (encode_png(np.full((side, side, 3), grey, np.uint8)) for side, grey in ((24, 100), (16, 110)))
    found = restoration.assess(kind, truth, answer)
    assert found.truth == "24 × 24" and found.answer.startswith("16 × 16, 2")
    assert found.loss == pytest.approx(10 if kind == "Restored" else 10 * 219 / 255, rel=0.01), "luma has less room"
    assert restoration.assess(kind, None, answer) == Assessment("16 × 16")


def encode_png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def test_grey_levels_are_the_error_that_psnr_stands_for() -> None:
    truth, answer = np.full((8, 8, 3), 100), np.full((8, 8, 3), 110)
    from trainer.metrics.fidelity import psnr

    assert restoration.grey_levels(psnr(truth, answer)) == pytest.approx(10)
