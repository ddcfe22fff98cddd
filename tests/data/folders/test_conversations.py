"""Whole conversations: which messages are replies, what is before each, and what is no conversation."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from data.columns import Identifier, Text, Turns
from data.errors import DataRefused
from data.folders.folder import DataFolder

COLUMNS = {
    "context": Turns(reply="response", conversation="chat"),
    "response": Text(),
    "chat": Identifier(optional=True),
}


def said(*turns: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def write(folder: Path, *rows: Any, name: str = "chats.jsonl") -> DataFolder:
    (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return DataFolder(folder, COLUMNS, split_by="chat")


def pairs(folder: DataFolder) -> list[tuple[list[str], str, str]]:
    found = []
    for record in folder.records(folder.splits[0]):
        assert record.features is not None, record.problem
        context, response, chat = (record.features[name] for name in COLUMNS)
        assert isinstance(context, bytes) and isinstance(response, bytes) and isinstance(chat, bytes)
        found.append((context.decode().split("\n"), response.decode(), chat.decode()))
    return found


def problems(folder: DataFolder) -> list[str]:
    return [record.problem.reason for record in folder.records(folder.splits[0]) if record.problem]


def test_what_the_assistant_says_is_a_reply_to_all_before(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        said(("system", "Be kind."), ("user", "Hello"), ("user", "there"), ("assistant", "Hi!"), ("user", "שלום")),
        said(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
    )
    assert sorted(pairs(folder)) == [
        (["Be kind.", "Hello there"], "Hi!", "chats.jsonl:1"),
        (["a"], "b", "chats.jsonl:2"),
        (["a", "b", "c"], "d", "chats.jsonl:2"),
    ]


def test_of_a_long_conversation_each_reply_has_the_last_turns_before_it(tmp_path: Path) -> None:
    most = COLUMNS["context"].most
    folder = write(tmp_path, said(*(("ab"[i % 2], f"turn\n {i}") for i in range(most + 9))))
    found = {reply: context for context, reply, _ in pairs(folder)}
    assert found["turn\n 2"] == ["turn 0", "turn 1"]
    assert found[f"turn\n {most + 8}"] == [f"turn {i}" for i in range(8, most + 8)]


def test_where_nobody_is_the_assistant_everybody_answers(tmp_path: Path) -> None:
    folder = write(tmp_path, said(("Ann", "a"), ("Bob", "b"), ("Bob", "c"), ("Ann", "d")))
    assert sorted(pairs(folder)) == [(["a"], "b c", "chats.jsonl:1"), (["a", "b c"], "d", "chats.jsonl:1")]


def test_all_of_a_conversation_is_on_one_side(tmp_path: Path) -> None:
    folder = write(tmp_path, *(said(*((f"{i % 2}", f"{chat} {i}") for i in range(6))) for chat in range(40)))
    sides: dict[Any, set[str]] = {}
    for record in folder.records("all"):
        assert record.features is not None
        sides.setdefault(record.features["chat"], set()).add(record.split)
    assert len(sides) == 40 and all(len(side) == 1 for side in sides.values())
    assert set.union(*sides.values()) == {"train", "eval"}


def test_a_table_may_hold_messages_as_json(tmp_path: Path) -> None:
    messages = json.dumps(said(("a", "x"), ("b", "y"))["messages"]).replace('"', '""')
    (tmp_path / "chats.csv").write_text(f'messages\n"{messages}"\n"[1"\n', encoding="utf-8")
    folder = DataFolder(tmp_path, COLUMNS, split_by="chat")
    assert [reason for reason in problems(folder) if "not valid JSON" in reason]
    good = [record.features for record in folder.records("all") if record.features]
    assert [features["response"] for features in good] == [b"y"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": "Hello"}, "not valid JSON"),
        ({"messages": []}, "expected a list of messages"),
        ({"messages": {"role": "user"}}, "expected a list of messages"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]}, "message 2 lacks"),
        ({"messages": [{"content": "a"}]}, "message 1 lacks"),
        ({"messages": [3]}, "message 1 lacks"),
        (said(("user", "a")), "nobody answers"),
        (said(("assistant", "a"), ("user", "b")), "nobody answers"),
        (said(("user", "a"), ("user", "b")), "nobody answers"),
        ({"other": 1}, "expected a list of messages"),
    ],
)
def test_what_is_no_conversation_is_told_with_its_row(tmp_path: Path, row: Any, reason: str) -> None:
    folder = write(tmp_path, said(("a", "x"), ("b", "y")), row)
    [bad] = [record for record in folder.records("all") if record.problem]
    assert bad.row == 2 and bad.problem is not None and reason in bad.problem.reason


def test_tables_of_both_forms_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"context": ["a"], "response": "b"}\n')
    with pytest.raises(DataRefused, match=r"pairs.jsonl has no column messages"):
        write(tmp_path, said(("a", "x"), ("b", "y")))


def test_a_table_that_leads_out_of_the_folder_or_is_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text(json.dumps(said(("a", "x"), ("b", "y"))))
    for place in ("link", "pipe"):
        (tmp_path / place).mkdir()
    (tmp_path / "link/chats.jsonl").symlink_to(tmp_path / "secret.jsonl")
    os.mkfifo(tmp_path / "pipe/chats.jsonl")
    for place, reason in (("link", "leads out of"), ("pipe", "not an ordinary file")):
        with pytest.raises(DataRefused, match=reason):
            DataFolder(tmp_path / place, COLUMNS, split_by="chat")


def test_contexts_and_responses_stay_rows(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"context": ["a", "b"], "response": "c", "chat": 7}\n')
    assert pairs(DataFolder(tmp_path, COLUMNS, split_by="chat")) == [(["a", "b"], "c", "7")]
