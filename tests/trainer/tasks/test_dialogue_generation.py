"""Dialogue generation: what is read, written and judged, and how a conversation goes on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.conversation import Turn
from trainer.features import texts
from trainer.preview import Exchange
from trainer.references.kneser_ney import KneserNey
from trainer.task import DataSpec
from trainer.tasks.dialogue_generation import ORDER, DialogueGeneration, _windows, backwards, read_whole, within_reach

VOCABULARIES = {"said_words": ["▁one", "▁two", "▁six"], "said_characters": ["▁", "o"], "said_pieces": []}
SIZE = texts.NUM_SPECIAL + 5
REPLIES = np.array([[4, 5, 0], [6, 0, 0], [4, 5, 6]])


@pytest.fixture(scope="module")
def task() -> DialogueGeneration:
    return DialogueGeneration(DialogueGeneration.HParams(units=8, heads=2, reply_tokens=3, context_tokens=4))


@pytest.fixture(scope="module")
def spec() -> DataSpec:
    return DataSpec({}, VOCABULARIES, 3, steps=10, train=lambda limit=None: {"response": REPLIES})


@pytest.fixture(scope="module")
def model(task: DialogueGeneration, spec: DataSpec) -> Any:
    tf.keras.utils.set_random_seed(0)
    return task.build_model(spec)


def asked(*contexts: list[int], temperature: float = 1.0, seed: int = 3, **more: Any) -> dict[str, Any]:
    count = len(contexts)
    return {
        "context": tf.constant(contexts, tf.int64),
        "context_length": tf.constant([sum(token > 0 for token in context) for context in contexts], tf.int64),
        "context_left_out": tf.zeros([count], tf.int64),
        "temperature": tf.fill([count], temperature),
        "top_k": tf.zeros([count], tf.int64),
        "top_p": tf.ones([count]),
        "seed": tf.fill([count], tf.constant(seed, tf.int64)),
        **more,
    }


def test_the_same_seed_writes_the_same_reply_in_any_batch(task: Any, model: Any, spec: DataSpec) -> None:
    both = task.predict(model, asked([2, 4, 5, 6], [2, 5, 0, 0]), spec)["reply"].numpy().tolist()
    assert both[1:] == task.predict(model, asked([2, 5, 0, 0]), spec)["reply"].numpy().tolist()
    greedy = [
        task.predict(model, asked([2, 4, 5, 6], temperature=0.0, seed=seed), spec)["reply"].numpy() for seed in (1, 2)
    ]
    assert greedy[0] == greedy[1] and all(both)


def test_a_reply_that_was_cut_is_judged_without_its_end(task: Any, model: Any, spec: DataSpec) -> None:
    response, left_out = tf.constant(REPLIES), tf.constant([0, 0, 2], tf.int64)
    contexts = [[2, 4, 0, 0], [2, 3, 4, 3], [2, 4, 0, 0]]
    found = task.predict(model, asked(*contexts, response=response, response_left_out=left_out), spec)
    assert found["tokens"].numpy().tolist() == [3, 2, 3]
    assert found["context_unknown"].numpy().tolist() == [0, 2, 0]
    assert found["characters"].numpy().tolist() == [7, 3, 11]
    assert found["reply_left_out"].numpy().tolist() == [0, 0, 2]
    assert (found["bits"].numpy() > 0).all()


def test_the_trigram_is_judged_on_the_same_tokens(task: Any, spec: DataSpec) -> None:
    left_out = np.array([0, 0, 2])
    windows = _windows(REPLIES, left_out)
    assert len(windows) == 3 + 2 + 3
    assert windows[:3].tolist() == [[0, 1, 4], [1, 4, 5], [4, 5, texts.END]]
    scores = task.reference({"response": REPLIES}, {"response": REPLIES, "response_left_out": left_out}, spec)
    bits = -np.log2(KneserNey(ORDER, _windows(REPLIES), SIZE).probabilities(windows))
    assert scores["trigram, Kneser-Ney"]["perplexity"] == pytest.approx(2 ** bits.mean())


def test_what_was_said_last_stands_first() -> None:
    latest_first = tf.ragged.constant([[[7], [4, 5]], [[6, 6, 8]], [[], [9]]], dtype=tf.int64)
    assert backwards(latest_first).to_list() == [[2, 7, 2, 5, 4], [2, 8, 6, 6], [2, 2, 9]]


def test_a_turn_of_which_the_beginning_is_not_read_is_not_read_whole() -> None:
    latest_first = tf.ragged.constant([[[7], [4, 5]], [[6, 6, 8]], [[], [9]]], dtype=tf.int64)
    assert read_whole(latest_first, 5).numpy().tolist() == [2, 1, 2]
    assert read_whole(latest_first, 3).numpy().tolist() == [1, 0, 2]


def test_turns_are_left_out_that_cannot_be_read_before_they_are_cut_into_tokens() -> None:
    latest_first = tf.ragged.constant(
        [["one two", "six", "never"], ["a-word-of-many-tokens", "six"], ["no 空白" * 9, "x"]]
    )
    expected = [["one two", "six"], ["a-word-of-many-tokens", "six"], ["no 空白" * 9]]
    found = within_reach(latest_first, 5)
    assert [[turn.decode() for turn in turns] for turns in found.to_list()] == expected


def test_the_last_turns_are_the_context(task: DialogueGeneration) -> None:
    turns = [Turn("Hello", "Hi!"), Turn("…", "")]
    asked_for = task.turn_inputs(turns, "[How] are you?")
    assert json.loads(asked_for["context"]) == ["Hello", "Hi!", "…", "[How] are you?"]
    told = {"context_left_out": 2, "context_unknown": 0}
    answer = {"reply": b"Fine.", **{name: np.int64(count) for name, count in told.items()}}
    assert task.turn(turns, "How?", answer) == Turn("How?", "Fine.", told)


def test_the_preview_shows_what_was_said_and_both_replies(task: DialogueGeneration) -> None:
    example = {"context": b"a\nb", "response": b"c"}
    shown = task.preview(example, {"reply": b"d", "context_left_out": 0})
    [exchange] = shown.parts
    assert isinstance(exchange, Exchange)
    assert [(turn.text, turn.answers) for turn in exchange.turns] == [
        ("a", True),
        ("b", False),
        ("d", True),
        ("c", True),
    ]
    answer = {"reply": "d", "context_left_out": 2, "context_unknown": 0}
    assert task.answer_row(example, answer) == {"reply": "d", "turns not read whole": 2}
    assert task.answer_row(example, {**answer, "context_unknown": 3})["characters not known"] == 3
