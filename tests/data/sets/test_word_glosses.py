"""Glosses and their kinds; one definition is one text."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from data.sets import word_glosses

NOUNS = """  1 This software and database is being provided to you
00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is perceived
00002452 05 n 01 cat 0 0 | a feline; "the cat sat"
00002453 05 n 01 tomcat 0 0 | a feline; "another example"
00002454 28 n 02 noon 0 midday 0 0 | twelve o'clock; the middle of the day
"""


def test_the_class_is_the_file_that_a_noun_is_kept_in() -> None:
    assert list(word_glosses.glosses(NOUNS)) == [
        ("that which is perceived", "Tops"),
        ('a feline; "the cat sat"', "animal"),
        ('a feline; "another example"', "animal"),
        ("twelve o'clock; the middle of the day", "time"),
    ]
    assert len(word_glosses.KINDS) == 26


def test_one_definition_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpacked(archive: Path, target: Path, *patterns: str) -> list[Path]:
        (target / "data.noun").write_text(NOUNS)
        return [target / "data.noun"]

    monkeypatch.setattr(word_glosses, "unpack", unpacked)
    monkeypatch.setattr(word_glosses, "SHARE", 1.0)
    word_glosses.prepare([tmp_path], tmp_path / "files", ())
    rows = list(csv.reader((tmp_path / "files" / "glosses.csv").open(encoding="utf-8")))
    assert rows[0] == ["text", "label"] and sorted(row[1] for row in rows[1:]) == ["Tops", "animal", "time"]
    assert ['a feline; "the cat sat"', "animal"] in rows, "the first of one definition"
