"""Questions and answers in two dozen languages at once, and what people say to each other in plays by Shakespeare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.foreign_sets import _packages
from data.sources import catalogue

SPEAKER = re.compile(r"(?:[A-Z][A-Za-z'.]*)(?: [A-Za-z'.]+){0,3}\.")
"""A line of its own above what somebody says."""


def languages(folder: Path) -> None:
    """Questions with their answers in all languages of the package but English, in a dozen scripts: a table of contexts
    and responses, 4,401 in all, from six of one language to some hundreds."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as stream:
        for language, _, turns in _packages.exchanges():
            if language != "english" and len(turns) == 2 and all(turns):
                row = {"context": turns[:1], "response": turns[1]}
                print(json.dumps(row, ensure_ascii=False), file=stream)


def plays(folder: Path) -> None:
    """Scenes as conversations of many: some 29,000 speeches in English of four hundred years ago."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "scenes.jsonl").open("w", encoding="utf-8") as stream:
        for play in sorted(catalogue.prepare("shakespeare").root.glob("*/*.txt")):
            for scene in scenes(play.read_text(encoding="utf-8")):
                print(json.dumps({"messages": scene}, ensure_ascii=False), file=stream)


def scenes(play: str) -> Iterator[list[dict[str, str]]]:
    """The speeches of each scene in which two speak. Stage directions, in brackets or paragraphs of their own, are left
    out."""
    for scene in re.split(r"(?im)^(?:act|scene)\b.*$", play):
        found = []
        for paragraph in re.split(r"\n\s*\n", scene):
            speaker, _, speech = paragraph.strip().partition("\n")
            speech = " ".join(re.sub(r"\[[^]]*\]", " ", speech).split())
            if SPEAKER.fullmatch(speaker.strip()) and speech:
                found.append({"role": speaker.strip(), "content": speech})
        if len({speech["role"] for speech in found}) > 1:
            yield found


SETS = {"languages": languages, "plays": plays}
