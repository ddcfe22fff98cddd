"""`benison chat` in a pipe: one line in, one line out."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.columns import Given, Number, Text
from data.errors import BenisonError
from pipelines.records.workspace import task_space
from pipelines.serving import conversation
from pipelines.serving.served import Served
from tests.pipelines.command_line import TASKS, Benison, Digits, Ended
from trainer.conversation import Converses, Turn

Chat = Callable[..., Ended]


class Echo(Digits, Converses):
    """Says how often it was spoken to, and what; its model is a stand-in."""

    title = "Echo"
    columns = {"text": Text(max_characters=20), "temperature": Given(kind=Number(), default=1.0)}  # type: ignore[misc]
    targets = ()  # type: ignore[assignment]

    def turn_inputs(self, turns: Sequence[Turn], line: str) -> Mapping[str, str]:
        return {"text": line}

    def turn(self, turns: Sequence[Turn], line: str, prediction: Mapping[str, Any]) -> Turn:
        return Turn(line, f"{len(turns)}:\n{prediction['said']} at {prediction['temperature']}")


@pytest.fixture
def chat(benison: Benison, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chat:
    """Runs the command on what is piped into it."""

    def answers(examples: Any) -> Any:
        for one in examples:
            yield one, {"said": one.values["text"].decode(), "temperature": one.values["temperature"]}

    served = SimpleNamespace(task=Echo(Digits.HParams()), name="echo", answers=answers)
    monkeypatch.setitem(TASKS, "echo", Echo)
    monkeypatch.setattr(Served, "open", lambda serving, name: served)
    task_space(tmp_path / "workspace", "echo").serving.mkdir(parents=True)

    def run(lines: str | bytes, *options: Any) -> Ended:
        content = lines if isinstance(lines, bytes) else lines.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        return benison("chat", "echo", *options)

    return run


def test_each_line_has_one_line_for_its_answer(chat: Chat) -> None:
    ended = chat("hello\n\n/reset\nagain\nonce more")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "0: hello at 1.0",
        "",
        "A new conversation.",
        "0: again at 1.0",
        "1: once more at 1.0",
    ]


def test_quit_ends_and_so_does_the_end_of_the_input(chat: Chat) -> None:
    assert chat("a\n/quit\nb\n").out.splitlines() == ["0: a at 1.0"]
    assert chat("").out == ""


def test_what_a_line_does_not_say_is_chosen_for_all(chat: Chat) -> None:
    assert chat("a\nb\n", "--input", "temperature=0.5").out.splitlines() == ["0: a at 0.5", "1: b at 0.5"]
    ended = chat("a\n", "--input", "text=b")
    assert ended.code == 2 and "nothing to choose" in ended.err and "temperature" in ended.err


def test_a_line_that_cannot_be_read_is_answered_with_the_reason(chat: Chat) -> None:
    ended = chat(b"a\n" + b"x" * 21 + b"\n\xff\nb\n")
    first, long, bad, last = ended.out.splitlines()
    assert long.startswith("✗ text: 21 characters") and "UTF-8" in bad
    assert (first, last) == ("0: a at 1.0", "1: b at 1.0"), "the conversation goes on"


def test_json_is_an_object_a_line(chat: Chat) -> None:
    turn, reset, empty, bad = map(json.loads, chat(f"é\n/reset\n\n{'x' * 21}\n", "--json").out.splitlines())
    assert turn == {"said": "é", "answered": "0:\né at 1.0", "state": {}}
    assert reset == {"reset": True} and empty == {"said": "", "answered": ""} and "21 characters" in bad["error"]


def test_a_task_that_holds_no_conversation_says_which_do(
    benison: Benison, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = benison("chat", "digits")
    assert ended.code == 2 and "digits holds no conversation" in ended.err and "echo" in ended.err


def test_without_a_model_it_says_how_to_get_one(benison: Benison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TASKS, "echo", Echo)
    ended = benison("chat", "echo")
    assert ended.code == BenisonError.exit_code and "benison run echo" in ended.err


def test_turns_that_somebody_else_held_are_checked(chat: Chat) -> None:
    served: Any = Served.open(Path(), "echo")
    turn = conversation.next_turn(served, "b", [{"said": "a", "answered": "x", "state": {}}])
    assert turn.answered.startswith("1:")
    with pytest.raises(BenisonError, match="cannot be gone on with"):
        conversation.next_turn(served, "b", [{"said": "a"}])
