"""Somebody's name or "unknown": what is shown, said and held against it."""

from __future__ import annotations

import numpy as np
import pytest

from data.columns import samples
from trainer.task import DataSpec
from trainer.tasks.face_recognition import FaceRecognition, FaceRecognitionHParams

PICTURE = samples.png(np.zeros((8, 8), np.uint8)).content
ANSWER = {"label": b"Ann", "names": [b"Ann", b"Bob"], "scores": [0.8, 0.6], "threshold": 0.7}
REFUSED = ANSWER | {"label": b"unknown", "scores": [0.6, 0.5]}


@pytest.mark.parametrize(
    ("truth", "answer", "correct"),
    [
        (None, ANSWER, None),
        (b"Ann", ANSWER, True),
        (b"Bob", ANSWER, False),
        (b"Cid", ANSWER, False),
        (b"Ann", REFUSED, False),
        (b"Cid", REFUSED, None),
    ],
)
def test_an_answer_is_right_where_it_names_who_it_is(truth: bytes | None, answer: dict, correct: bool | None) -> None:
    task = FaceRecognition(FaceRecognitionHParams())
    shown = task.preview({"image": PICTURE} | ({} if truth is None else {"person": truth}), answer)
    assert shown.correct is correct
    assert list(shown.parts[1].values) == ["Ann", "Bob", "threshold"]


def test_a_row_of_the_table_names_the_nearest() -> None:
    row = FaceRecognition(FaceRecognitionHParams()).answer_row({}, ANSWER | {"label": "Ann", "names": ["Ann", "Bob"]})
    assert row == {"answer": "Ann", "score": 0.8, "threshold": 0.7, "nearest": "Ann 0.800, Bob 0.600"}


def test_the_reference_names_the_known_and_refuses_strangers() -> None:
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (8, 8, 8, 1))

    def arrays(place: np.ndarray, known: int) -> dict[str, np.ndarray]:
        noisy = np.clip(patterns[place] + rng.normal(0, 15, (len(place), 8, 8, 1)), 0, 255)
        return {"image": noisy.astype(np.uint8), "person": np.where(place < known, place, -1)}

    train, evaluated = arrays(np.arange(60) % 6, 6), arrays(np.arange(32) % 8, 6)
    spec = DataSpec({}, {"person": list("abcdef")}, 60, 0, train=dict)
    [scores] = FaceRecognition(FaceRecognitionHParams()).reference(train, evaluated, spec).values()
    assert scores["rank_1"] == 1 and scores["accuracy"] > 0.8 and scores["strangers_refused"] >= 0.5
