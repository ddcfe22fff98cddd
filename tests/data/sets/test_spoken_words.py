"""The spoken words: who says what where, and the folder made of the archives. No synthesiser is run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from data.sets import spoken_words
from data.sets.spoken_words import HUMAN, KEYWORDS, OTHERS, TIMES, UNKNOWN
from tests.voices import prepared


def test_voices_of_eval_are_held_out_and_so_are_its_other_words() -> None:
    assert not set(TIMES["train"]) & set(TIMES["eval"]) and len(TIMES["train"]) == 39 and len(TIMES["eval"]) == 7
    assert not set(OTHERS["train"]) & set(OTHERS["eval"]) and not set(KEYWORDS) & {*OTHERS["train"], *OTHERS["eval"]}
    assert len(KEYWORDS) == 34 and len(OTHERS["train"]) == len(OTHERS["eval"]) == 22


def test_the_folder_has_a_row_for_each_word_and_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, said = prepared(spoken_words, tmp_path, monkeypatch, alternative=0)
    assert {split: len(rows) for split, rows in tables.items()} == {"train": 4320, "eval": 448}
    for split, rows in tables.items():
        assert {row["label"] for row in rows} == {*KEYWORDS, UNKNOWN}
        names = [row["file_name"] for row in rows]
        assert len(set(names)) == len(names)
        assert {row["voice"] for row in rows} - {HUMAN.voice} == set(TIMES[split])
    human = [row for row in tables["eval"] if row["voice"] == HUMAN.voice]
    assert Counter(row["label"] for row in human) == {**dict.fromkeys(KEYWORDS, 1), UNKNOWN: 22}
    assert all((tmp_path / "files" / "eval" / row["file_name"]).is_file() for row in human)
    assert not any(row["voice"] == HUMAN.voice for row in tables["train"])
    assert len(said) == 4320 + 392


def test_without_flite_and_recordings_the_other_voices_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = prepared(spoken_words, tmp_path / "whole", monkeypatch, alternative=0)
    least, said = prepared(spoken_words, tmp_path / "least", monkeypatch, alternative=2)
    for split, rows in whole.items():
        assert least[split] == [row for row in rows if row["voice"] != HUMAN.voice and "flite" not in row["voice"]]
    assert all(not utterance.voice.startswith("flite-") for utterance in said)
