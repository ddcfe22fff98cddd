"""Replies that a folder brings: templates, questions, and what is said where the table is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.columns import Label, Tags, Text, encode_row
from data.columns import Reply as ReplyColumn
from data.errors import BadValue, DataRefused
from data.folders.check import check
from data.folders.folder import DataFolder
from data.replies import Reply, pieces_of, read_replies

TABLE = """intent,slot,text
timer,,The timer is set for {minutes} minutes[ in the {area}][ ({name})].
timer,minutes,For how many minutes?
stop,,Stopped.
,,"Sorry, what?"
"""
COLUMNS = {
    "text": Text(),
    "slots": Tags(of="text", open=True, optional=True),
    "intent": Label(open=True),
    "reply": ReplyColumn(of="intent"),
}


def table(folder: Path, text: str = TABLE, name: str = "replies.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_reply_is_filled_and_what_lacks_is_left_out_or_asked_for(tmp_path: Path) -> None:
    replies = read_replies(table(tmp_path)) or {}
    timer = replies["timer"]
    assert timer.missing({"area"}) == "minutes" and timer.questions["minutes"] == "For how many minutes?"
    assert timer.missing({"minutes": "5"}) is None
    assert timer.filled({"minutes": "5", "area": "{hall}"}) == "The timer is set for 5 minutes in the {hall}."
    assert replies["stop"].filled({"area": "x"}) == "Stopped."
    assert {reply.unknown for reply in replies.values()} == {"Sorry, what?"}
    assert Reply.of_json(timer.to_json()) == timer


def test_signs_that_are_meant_are_written_twice() -> None:
    assert Reply("a", "[[{{x}}]] 5[ {y}]").filled({}) == "[{x}] 5"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a [b", "never closed"),
        ("a ]b", r"a \] that no \[ opens"),
        ("[a [b]]", r"\[ \] within"),
        ("a {b", r"a \{ that is alone"),
        ("a } b", r"a \} that is alone"),
        ("a { } b", "names no slot"),
    ],
)
def test_a_template_at_fault(template: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        pieces_of(template)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("intent,text\na,\n", "row 2: no text"),
        ("intent,slot\na,b\n", "lacks the column text"),
        ("intent,slot,text\na,,x\na,,y\n", "row 3: a second reply of 'a'"),
        ("intent,slot,text\na,,x\na,s,y\na,s,z\n", "row 4: a second question for the slot 's'"),
        ("intent,slot,text\n,s,y\n", "row 2: a slot without an intent"),
        ("intent,slot,text\na,s,y\n", "'a' has questions, and no reply"),
        ("intent,slot,text\na,,{s}\n", "needs the slot 's'"),
        ("intent,slot,text\na,,[x\n", "row 2: a .* never closed"),
    ],
)
def test_a_table_at_fault_is_refused_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(DataRefused, match=reason) as refusal:
        read_replies(table(tmp_path, text))
    assert str(tmp_path / "replies.csv") in refusal.value.message and refusal.value.fix


def test_two_tables_are_refused_and_none_is_none(tmp_path: Path) -> None:
    assert read_replies(tmp_path) is None
    table(tmp_path)
    table(tmp_path, '{"intent": "a", "text": "x"}\n', "replies.jsonl")
    with pytest.raises(DataRefused, match="both replies.csv and replies.jsonl"):
        read_replies(tmp_path)


@pytest.mark.parametrize("name", ["data.jsonl", "train/a.jsonl"])
def test_the_table_is_no_record_and_each_record_has_its_reply(tmp_path: Path, name: str) -> None:
    rows = "".join(f'{{"text": "{word} {n}", "intent": "{word}"}}\n' for n in range(20) for word in ("timer", "else"))
    names = [name, name.replace("train", "eval")] if "/" in name else [name]
    for file in names:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(rows, encoding="utf-8")
    folder = DataFolder(table(tmp_path), COLUMNS)
    records = [record for split in folder.splits for record in folder.records(split)]
    assert len(records) == 40 * len(names) and not [record for record in records if record.problem]
    for record in records:
        assert record.features is not None
        assert ("reply" in record.features) == (record.features["intent"] == b"timer")
    said = check(tmp_path, COLUMNS, targets=("slots", "intent", "reply")).text()
    assert f"reply of {20 * len(names)} records: no reply to its intent" in said


def test_without_a_table_there_are_no_replies() -> None:
    features = encode_row(COLUMNS, {"text": "go", "intent": "a"}, lambda *_: b"")
    assert "reply" not in features and "slots" not in features
