"""Chats between students of a university, each a conversation of two people about anything.

Left out, and counted in the folder's README.md, are turns with

- profanity: a word or phrase of the list in better-profanity, whole words, whatever their case. The list is strict: it
  has "god" and "stupid", too;
- personal data: an e-mail address, a link, a name on social media (`@name`), a telephone number, or what somebody says
  to be their name. What people tell of themselves in other words stays.

A conversation goes on as another one behind such a turn, so that no reply is learnt to what is not there. Of what is
left, conversations in the order of a hash of their number are taken, until there are MAX_TRAIN replies to train on and
MAX_EVAL to evaluate on; whole conversations of two people are on one side.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

MAX_TRAIN, MAX_EVAL = 40_000, 2_000
"""Replies, about: a conversation is taken whole."""

EVAL_SHARE = 10
"""One conversation in so many is for evaluation."""

DATA_SET = DataSet(
    name="chitchat",
    title="42,000 replies in chats of two students, without profanity and personal data",
    licence="MIT",
    credit="BYU Perception, Control and Cognition Laboratory, Chit-Chat Challenge; list of profanity: better-profanity",
    sources=(
        (
            Source(
                client="pypi",
                package="chitchat-dataset",
                version="0.9.0",
                filename="chitchat_dataset-0.9.0-py3-none-any.whl",
                sha256="7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
                size_bytes=8_105_664,
                holds="7,168 chats",
            ),
            Source(
                client="pypi",
                package="better-profanity",
                version="0.7.0",
                filename="better_profanity-0.7.0-py3-none-any.whl",
                sha256="bd4c529ea6aa2db1aaa50524be1ed14d0fe5c664f1fd88c8bc388c7e9f9f00e8",
                size_bytes=46_104,
                holds="916 profane words and phrases",
            ),
        ),
    ),
)

PERSONAL = {
    "e-mail address": r"\b[\w.+-]+@[\w-]+\.\w+",
    "link": r"https?://|\bwww\.",
    "name on social media": r"(?<!\w)@\w{2,}",
    "telephone number": r"(?<!\d)\(?\d{3}\)?[ .-]?\d{3}[ .-]?\d{4}(?!\d)",
    "own name": r"\b(?:my name(?:'s| is| was)|(?:they|you can) call me|call me) (?-i:[A-Z])",
}
"""What is taken for personal data: name -> a pattern, whatever its case."""

Turn = dict[str, str]
"""`role` and `content`, as in a message."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/train.jsonl` and `target/eval.jsonl`, a conversation a line, and README.md."""
    with TemporaryDirectory(dir=target.parent) as scratch:
        chats, words = _unpacked(archives, Path(scratch))
    patterns = {"profanity": profanity(words)} | {name: re.compile(p, re.IGNORECASE) for name, p in PERSONAL.items()}
    left_out: Counter[str] = Counter()
    target.mkdir(parents=True, exist_ok=True)
    replies = Counter[str]()
    with (target / "train.jsonl").open("w") as train, (target / "eval.jsonl").open("w") as evaluation:
        files, most = {"train": train, "eval": evaluation}, {"train": MAX_TRAIN, "eval": MAX_EVAL}
        for number in sorted(chats, key=_hash):
            side = "eval" if _hash(number) % EVAL_SHARE == 0 else "train"
            if replies[side] >= most[side]:
                continue
            for turns in decent(turns_of(chats[number]), patterns, left_out):
                replies[side] += len(turns) - 1
                print(json.dumps({"messages": turns}, ensure_ascii=False), file=files[side])
    said = "".join(f"- {name}: {count}\n" for name, count in sorted(left_out.items()))
    (target / "README.md").write_text(f"{DATA_SET.title}\n\nTurns left out, by the first reason found:\n\n{said}")


def _unpacked(archives: Sequence[Path], scratch: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The chats by their number, and the profane words."""
    from data.sources.archives import unpack

    [chats] = unpack(archives[0], scratch / "chats", "chitchat_dataset/dataset.json")
    [words] = unpack(archives[1], scratch / "words", "better_profanity/profanity_wordlist.txt")
    return json.loads(chats.read_text("utf-8")), words.read_text("utf-8").split("\n")


def profanity(words: Sequence[str]) -> re.Pattern[str]:
    """What finds any of the words and phrases, not within other words."""
    listed = sorted({word.strip() for word in words if word.strip()}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, listed))})(?!\w)", re.IGNORECASE)


def turns_of(chat: Mapping[str, Any]) -> list[Turn]:
    """The turns of a chat; what one person writes before the other does is one."""
    found = []
    for messages in chat["messages"]:
        text = " ".join(" ".join(message["text"] for message in messages).split())
        if text:
            found.append({"role": messages[0]["sender"], "content": text})
    names = {sender: f"person {place}" for place, sender in enumerate(dict.fromkeys(turn["role"] for turn in found), 1)}
    return [{"role": names[turn["role"]], "content": turn["content"]} for turn in found]


def decent(
    turns: Sequence[Turn], patterns: Mapping[str, re.Pattern[str]], left_out: Counter[str]
) -> Iterator[list[Turn]]:
    """The stretches of a conversation between turns that a pattern is found in, of two turns at least. `left_out`
    counts the turns left out, by the name of the first pattern."""
    stretch: list[Turn] = []
    for turn in turns:
        reason = next((name for name, pattern in patterns.items() if pattern.search(turn["content"])), None)
        if reason is None:
            stretch.append(turn)
            continue
        left_out[reason] += 1
        if len(stretch) > 1:
            yield stretch
        stretch = []
    if len(stretch) > 1:
        yield stretch


def _hash(number: str) -> int:
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:8], "big")
