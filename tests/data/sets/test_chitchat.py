"""Chats: what is left out of them, and that it is counted."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from data.sets import chitchat

WORDS = ["damn", "son of a gun", "sh!t", ""]
PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in chitchat.PERSONAL.items()}


def chat(*turns: str) -> dict[str, list[list[dict[str, str]]]]:
    """Of two people in turn; a bar parts messages."""
    return {
        "messages": [
            [{"text": text, "sender": f"s{i % 2}"} for text in turn.split("|")] for i, turn in enumerate(turns)
        ]
    }


@pytest.mark.parametrize("text", ["Damn!", "you son of a gun", "oh sh!t", "DAMN it"])
def test_profane_words_and_phrases_are_found_whatever_their_case(text: str) -> None:
    assert chitchat.profanity(WORDS).search(text)


@pytest.mark.parametrize("text", ["damnation", "goddamn", "a gun", "shut"])
def test_they_are_not_found_within_other_words(text: str) -> None:
    assert not chitchat.profanity(WORDS).search(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("write to ann.b@example.org", "e-mail address"),
        ("see https://example.org/x", "link"),
        ("follow me @ann_b", "name on social media"),
        ("call (801) 555-0123 now", "telephone number"),
        ("8015550123", "telephone number"),
        ("hi, my name is Ann", "own name"),
        ("They call me Ann", "own name"),
    ],
)
def test_personal_data_is_found(text: str, reason: str) -> None:
    assert [name for name, pattern in PATTERNS.items() if pattern.search(text)] == [reason]


@pytest.mark.parametrize(
    "text", ["at 5 o'clock", "in 2016 2015", "I had 403902930493 words", "do not call me names", "what is her name?"]
)
def test_what_is_none_stays(text: str) -> None:
    assert not any(pattern.search(text) for pattern in PATTERNS.values())


def test_a_conversation_goes_on_as_another_behind_what_is_left_out() -> None:
    left_out: Counter[str] = Counter()
    turns = chitchat.turns_of(chat("a", "b|c", "damn", "d", "e", "@someone", "f"))
    found = list(chitchat.decent(turns, {"profanity": chitchat.profanity(WORDS), **PATTERNS}, left_out))
    assert [[turn["content"] for turn in stretch] for stretch in found] == [["a", "b c"], ["d", "e"]]
    assert left_out == {"profanity": 1, "name on social media": 1}


def test_the_folder_holds_conversations_and_says_what_was_left_out(tmp_path: Path) -> None:
    chats, words = tmp_path / "chats.zip", tmp_path / "words.zip"
    with zipfile.ZipFile(chats, "w") as archive:
        content = {str(i): chat("hello", "hi", "damn" if i == 3 else "well", "yes") for i in range(60)}
        archive.writestr("chitchat_dataset/dataset.json", json.dumps(content))
    with zipfile.ZipFile(words, "w") as archive:
        archive.writestr("better_profanity/profanity_wordlist.txt", "\n".join(WORDS))
    target = tmp_path / "files"
    chitchat.prepare([chats, words], target, ())
    rows = {side: (target / f"{side}.jsonl").read_text().splitlines() for side in ("train", "eval")}
    assert len(rows["train"]) + len(rows["eval"]) == 60 and len(rows["eval"]) > 0
    messages = json.loads(rows["train"][0])["messages"]
    assert messages[0] == {"role": "person 1", "content": "hello"} and messages[1]["role"] == "person 2"
    assert "profanity: 1" in (target / "README.md").read_text()
