"""Home intents: texts drawn from templates, with the places of slots, and sides that share no template's texts."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from data.replies import read_replies
from data.sets import home_intents

TEMPLATES = [f"{verb} [<the>] {{area}} {thing}" for verb in ("open", "close", "lift", "lower") for thing in "abc"]
DOCUMENT: dict[str, Any] = {
    "language": "en",
    "intents": {
        "Move": {"data": [{"sentences": TEMPLATES}]},
        "Light": {"data": [{"sentences": [f"{word} ({{area}};to {{level:brightness}}[%])" for word in "pqrstuvw"]}]},
        "Few": {"data": [{"sentences": ["good morning", "hello [there]"]}]},
        "Twin": {"data": [{"sentences": ["hello"]}]},
    },
    "lists": {"level": {"range": {"from": 1, "to": 9}}},
    "expansion_rules": {"the": "(the|my)"},
}
VALUES = {"area": [f"room {letter}" for letter in "klmnopqrst"]}


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[home_intents.Said]]:
    return home_intents.draw(DOCUMENT, VALUES)


def test_each_slot_stands_where_it_is_said_to(drawn: dict[str, list[home_intents.Said]]) -> None:
    known = {"area": set(VALUES["area"]), "brightness": set("123456789")}
    texts = [said for side in drawn.values() for said in side]
    assert all(said.slots for said in texts if said.intent in ("Move", "Light"))
    for said in texts:
        assert said.text == " ".join(said.text.split())
        for start, end, name in said.slots:
            assert said.text[start:end] in known[name]


def test_templates_are_on_one_side_and_a_fifth_of_the_values_in_evaluation_alone(
    drawn: dict[str, list[home_intents.Said]],
) -> None:
    def template(said: home_intents.Said) -> tuple[str, str]:
        return said.text.split()[0], said.text[-1]

    train, evaluation = ([said for said in drawn[side] if said.intent == "Move"] for side in ("train", "eval"))
    assert train and evaluation and not {map(template, train)} & {map(template, evaluation)}
    values = {side: {said.text[a:b] for said in drawn[side] for a, b, n in said.slots if n == "area"} for side in drawn}
    assert values["train"] <= set(VALUES["area"]) - {"room o", "room t"}
    assert values["eval"] & {"room o", "room t"}


def test_intents_of_few_templates_are_never_learnt_and_texts_of_two_intents_left_out(
    drawn: dict[str, list[home_intents.Said]],
) -> None:
    assert {said.intent for said in drawn["train"]} == {"Move", "Light"}
    assert {said.text for said in drawn["eval"] if said.intent in ("Few", "Twin")} == {"good morning", "hello there"}


def test_the_draw_is_always_the_same(drawn: dict[str, list[home_intents.Said]]) -> None:
    assert home_intents.draw(DOCUMENT, VALUES) == drawn


@pytest.mark.parametrize(
    ("segments", "text", "slots"),
    [
        ([("put ", ""), ("the ", ""), (" hall  lamp", "x"), (" on", "")], "put the hall lamp on", [(8, 17, "x")]),
        ([("to ", ""), ("5", "x"), ("%", "")], "to 5%", [(3, 4, "x")]),
        ([("", ""), (" ", "x"), ("a", "")], "a", []),
        ([("打开", ""), ("客厅", "area"), ("灯", "")], "打开客厅灯", [(2, 4, "area")]),
    ],
)
def test_segments_are_joined_with_single_spaces(segments: Any, text: str, slots: Any) -> None:
    assert home_intents.joined(segments) == (text, tuple(slots))


def test_the_archive_becomes_two_tables_and_replies(tmp_path: Path) -> None:
    archive = tmp_path / "intents.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("home_assistant_intents/data/en.json", json.dumps(DOCUMENT))
    home_intents.prepare([archive], tmp_path / "files", home_intents.DATA_SET.sources[0])
    rows = [json.loads(line) for line in (tmp_path / "files" / "train.jsonl").read_text("utf-8").splitlines()]
    assert rows and all(row.keys() == {"text", "intent", "slots"} for row in rows)
    with (tmp_path / "files" / "replies.csv").open(newline="", encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == len(home_intents.REPLIES)


def test_the_replies_are_good_ones(tmp_path: Path) -> None:
    home_intents.write(tmp_path, {}, home_intents.REPLIES)
    replies = read_replies(tmp_path)
    assert replies and len(replies) == 19
