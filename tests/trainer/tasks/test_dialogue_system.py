"""What of the dialogue system follows from no pipeline: its turns, its references, and what training hides."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from data.errors import BadValue
from data.replies import Reply
from trainer.backend import tf
from trainer.conversation import Turn
from trainer.features import spans
from trainer.metrics.spans import NOT_JUDGED
from trainer.preview import Exchange, Said
from trainer.tasks import dialogue_system
from trainer.tasks.dialogue_system import NOT_UNDERSTOOD, DialogueSystem, DialogueSystemHParams

TIMER = Reply("timer", "Set for {minutes} minutes[ in the {area}].", {"minutes": "How long?"}, "Sorry?").to_json()
UNKNOWN = Reply("", "", {}, "Sorry?").to_json()


@pytest.fixture
def task() -> DialogueSystem:
    return DialogueSystem(DialogueSystemHParams())


def answer(line: str, label: str, reply: str = "", **slots: str) -> dict[str, Any]:
    """What the model says of a line; `slots`: name -> passage of the line."""
    found = [{"start": line.index(v), "end": line.index(v) + len(v), "name": name} for name, v in slots.items()]
    return {
        "label": label.encode(),
        "slots": json.dumps(found).encode(),
        "reply": reply.encode(),
        "intents": np.array([b"timer", b"stop"]),
        "scores": np.array([0.9, 0.1]),
        "threshold": 0.5,
    }


def talk(task: DialogueSystem, *said: tuple[str, dict[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    for line, prediction in said:
        assert task.turn_inputs(turns, line) == {"text": line}
        turns.append(Turn.of_json(json.loads(json.dumps(task.turn(turns, line, prediction).to_json()))))
    return turns


def test_a_reply_is_filled_with_the_slots(task: DialogueSystem) -> None:
    line = "timer for 5 minutes in the hall"
    [turn] = talk(task, (line, answer(line, "timer", TIMER, minutes="5", area="hall")))
    assert turn.answered == "Set for 5 minutes in the hall."


def test_a_missing_slot_is_asked_for_and_the_next_line_is_its_value(task: DialogueSystem) -> None:
    start = ("hall timer", answer("hall timer", "timer", TIMER, area="hall"))
    asked, filled, other = talk(task, start, (" 20 ", answer(" 20 ", "unknown", UNKNOWN)), ("x", answer("x", "stop")))
    assert asked.answered == "How long?"
    assert filled.answered == "Set for 20 minutes in the hall."
    assert other.answered == "stop", "without a reply the intent is named"
    line = "make it 7 please"
    _, found = talk(task, start, (line, answer(line, "stop", "", minutes="7")))
    assert found.answered == "Set for 7 minutes in the hall.", "of a whole sentence the passage is the value"


def test_a_line_that_only_names_slots_changes_those_of_the_turn_before(task: DialogueSystem) -> None:
    first, more, lost = "timer 5 hall", "and in the attic?", "well"
    turns = talk(
        task,
        (first, answer(first, "timer", TIMER, minutes="5", area="hall")),
        (more, answer(more, "unknown", UNKNOWN, area="attic")),
        (lost, answer(lost, "unknown", UNKNOWN)),
        (more, answer(more, "unknown", UNKNOWN, area="attic")),
    )
    assert [turn.answered for turn in turns[1:]] == ["Set for 5 minutes in the attic.", "Sorry?", "Sorry?"]


def test_what_was_not_understood_is_said(task: DialogueSystem) -> None:
    [turn] = talk(task, ("blah", answer("blah", "unknown")))
    assert turn.answered == NOT_UNDERSTOOD and turn.state == {}


def test_without_replies_intent_and_slots_are_named(task: DialogueSystem) -> None:
    [turn] = talk(task, ("stop 5", answer("stop 5", "stop", minutes="5")))
    assert turn.answered == "stop: minutes = 5"


@pytest.mark.parametrize(
    "state",
    [
        {"intent": 5},
        {"else": ""},
        {"slots": []},
        {"slots": {"a": 1}},
        {"reply": "no json"},
        {"reply": "[]"},
        {"slots": 3},
    ],
)
def test_a_state_that_is_none_of_ours_is_refused(task: DialogueSystem, state: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match="none of this task's"):
        task.turn([Turn("a", "b", state)], "x", answer("x", "unknown"))


def test_slots_stand_in_the_preview_and_in_the_table(task: DialogueSystem) -> None:
    line = "timer for 5 <b>"
    found = answer(line, "timer", TIMER, minutes="5")
    as_json = {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}
    row = task.answer_row({"text": line.encode()}, as_json | {"intents": ["timer"], "scores": [0.9]})
    assert row["slots"] == "minutes = 5" and row["reply"] == "Set for 5 minutes."
    marked = json.dumps([{"start": 0, "end": 5, "label": "what"}]).encode()
    preview = task.preview({"text": line.encode(), "slots": marked, "intent": b"stop"}, found)
    assert preview.correct is False and preview.title == "stop → timer"
    texts = [part.text for part in preview.parts if hasattr(part, "text")]
    assert texts == ["minutes = 5", "what = timer"]
    exchange = preview.parts[0]
    assert isinstance(exchange, Exchange)
    assert exchange.turns == [Said(line), Said("Set for 5 minutes.", answers=True, note="reply")]


def test_too_many_slots_are_a_bad_record() -> None:
    assert DialogueSystem.refuse({"slots_count": dialogue_system.MAX_SLOTS}) == ""
    assert "33 slots" in DialogueSystem.refuse({"slots_count": 33}) and DialogueSystem.refuse({}) == ""


def test_training_hides_words_and_inference_none(task: DialogueSystem) -> None:
    words = tf.constant([[5, 6, 7, 0]] * 400, tf.int64)
    features = {"words": words, "heads": words, "tails": words}
    assert task.batch(features, None) is features
    hidden = task.batch(features, tf.constant([0, 1], tf.int64))
    there = hidden["words"].numpy()[:, :3]
    share = float((there == spans.UNKNOWN).mean())
    assert 0.1 < share < 0.2 and not hidden["words"].numpy()[:, 3].any()
    assert ((there == spans.UNKNOWN) | (hidden["heads"].numpy()[:, :3] > 0)).all(), (
        "no ends are hidden without the word"
    )


def arrays(
    texts: list[list[int]], intents: list[int], slots: list[list[tuple[int, int, int]]]
) -> dict[str, np.ndarray]:
    """Each word two characters long, with a space behind."""
    words = np.zeros((len(texts), 6), int)
    rows = np.full((len(texts), 4, 3), -1)
    for place, (text, marked) in enumerate(zip(texts, slots, strict=True)):
        words[place, : len(text)] = text
        for number, (first, behind, name) in enumerate(marked):
            rows[place, number] = 3 * first, 3 * behind - 1, name
    starts = np.where(words > 0, 3 * np.arange(6), 0)
    return {
        "words": words,
        "length": (words > 0).sum(axis=1),
        "starts": starts,
        "ends": np.where(words > 0, starts + 2, 0),
        "intent": np.array(intents),
        "slots": np.where((np.array(intents) >= 0)[:, None, None], rows, NOT_JUDGED),
    }


def test_the_references_answer_the_same_split() -> None:
    train = arrays([[2, 5], [2, 6, 7], [3, 5], [3, 6, 7]] * 3, [0, 0, 1, 1] * 3, [[(1, 2, 0)], [(1, 3, 0)]] * 6)
    evaluation = arrays([[2, 5], [3, 6, 7, 5], [4, 5]], [0, 1, -1], [[(1, 2, 0)], [(1, 3, 0), (3, 4, 1)], [(1, 2, 0)]])
    assert dialogue_system._in_words(train, 1) == [(1, 3, 0)]
    scores = dialogue_system._of_words(train, evaluation, 0)
    assert scores["intent_accuracy"] == 1.0 and {"accuracy", "unknown_refused", "false_refusals"} <= scores.keys()
    assert dialogue_system._by_dictionary(train, evaluation) == pytest.approx(2 * 2 / (3 + 3)), "one has another name"
