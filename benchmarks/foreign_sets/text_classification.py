"""Tweets that people rated, of three classes; and Japanese manual pages in files, by the section that they are of."""

from __future__ import annotations

from pathlib import Path

from benchmarks.foreign_sets import _packages

CHARACTERS = 500
"""Of each manual page."""


def tweets(folder: Path) -> None:
    """Short texts with emoticons and hash marks: a rating above 0.5 is positive, one below -0.5 negative."""
    rows = _packages.rated_tweets()
    names = ("negative", "neutral", "positive")
    _packages.write_table(folder, ((text, names[1 + (rating > 0.5) - (rating < -0.5)]) for text, rating in rows))


def japanese_manuals(folder: Path) -> None:
    """A folder for each of six sections with a file for each page: some hundred words each, without spaces."""
    for section, name, text in _packages.japanese_manual_pages(CHARACTERS):
        (folder / section).mkdir(parents=True, exist_ok=True)
        (folder / section / f"{name}.txt").write_text(text, "utf-8")


SETS = {"tweets": tweets, "japanese_manuals": japanese_manuals}
