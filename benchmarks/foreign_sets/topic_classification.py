"""What a Japanese chat is about; and which language a sentence is of, in a dozen scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.foreign_sets import _packages

FEWEST_OF_TOPIC, FEWEST_OF_LANGUAGE = 8, 50
"""Texts without which a class is left out."""


def japanese_chats(folder: Path) -> None:
    """Question and answer, of eighteen topics with some dozen each."""
    found = [(" ".join(turns), topic) for language, topic, turns in _packages.exchanges() if language == "japanese"]
    _packages.write_table(folder, _frequent(found, FEWEST_OF_TOPIC))


def languages(folder: Path) -> None:
    """Single turns of chats, of two dozen languages; from 50 to 1,700 of each."""
    found = [(turn, language) for language, _, turns in _packages.exchanges() for turn in turns if len(turn) > 3]
    _packages.write_table(folder, _frequent(found, FEWEST_OF_LANGUAGE))


def _frequent(rows: Sequence[tuple[str, str]], fewest: int) -> list[tuple[str, str]]:
    """Those of classes that have so many different texts."""
    counts = Counter(label for _, label in dict(rows).items())
    return [(text, label) for text, label in rows if counts[label] >= fewest]


SETS = {"japanese_chats": japanese_chats, "languages": languages}
