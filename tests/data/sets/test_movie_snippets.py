"""Rated sentences: which are kept, and of what class."""

from __future__ import annotations

import csv
from pathlib import Path

from data.sets import movie_snippets
from tests.archives import tar_gz

LINES = """1\t2.26\tGood  fun.
2\t-0.51\tDull; a bore.
3\t0.5\tNeither.
4\t-2\tdull a BORE!
5\t0.6\tA tab\tis of the text.
"""


def package(path: Path, name: str = "movieReviewSnippets") -> Path:
    inner = tar_gz(path / "inner.tar.gz", {f"hutto_ICWSM_2014/{name}_GroundTruth.txt": LINES.encode()})
    member = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    return tar_gz(path / "package.tar.gz", {member: inner.read_bytes(), "vaderSentiment-3.3.2/setup.py": b""})


def test_clear_sentences_are_kept_once(tmp_path: Path) -> None:
    movie_snippets.prepare([package(tmp_path)], tmp_path / "files", ())
    rows = list(csv.reader((tmp_path / "files" / "snippets.csv").open(encoding="utf-8")))
    assert rows == [
        ["text", "label"],
        ["Good  fun.", "positive"],
        ["Dull; a bore.", "negative"],
        ["A tab\tis of the text.", "positive"],
    ]


def test_the_packages_other_files_are_read_alike(tmp_path: Path) -> None:
    archive = package(tmp_path, "tweets")
    found = list(movie_snippets.rated_sentences(archive, tmp_path / "scratch", "tweets"))
    assert found[1] == ("2", -0.51, "Dull; a bore.") and len(found) == 5
