"""The spoken phrases: who says what where, and the folder made of the archives. No synthesiser is run."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from data.errors import BenisonError
from data.sets import _people, _voices, spoken_phrases
from data.sets.spoken_phrases import (
    ALLISON,
    HEARD,
    PEOPLE_EVAL,
    PEOPLE_PHRASES,
    PEOPLE_TRAIN,
    READ_AS,
    UNHEARD,
    UTTERANCES,
    WORDS,
)
from tests.voices import prepared


def test_every_word_is_said_and_phrases_are_short() -> None:
    said = list(itertools.islice(spoken_phrases.phrases(random.Random(0)), 5000))
    assert {word for words in said for word in words} == set(WORDS)
    assert {len(words) for words in said} == {1, 2, 3, 4}
    assert len(set(WORDS)) == len(WORDS)


def test_no_phrase_is_on_both_sides() -> None:
    said = list(itertools.islice(spoken_phrases.phrases(random.Random(0)), 5000))
    sides = [
        (spoken_phrases.may_be_said(p, "train", "en-us"), spoken_phrases.may_be_said(p, "eval", "en-us")) for p in said
    ]
    assert all(train != evaluated for (train, evaluated) in sides)
    assert all(train for words, (train, _) in zip(said, sides, strict=True) if len(words) == 1)


def test_eval_has_voices_that_train_has_not() -> None:
    assert set(HEARD) < set(UTTERANCES["train"])
    assert not set(UNHEARD) & set(UTTERANCES["train"])
    assert set(UTTERANCES["eval"]) == {*HEARD, *UNHEARD}
    assert ALLISON.voice not in UTTERANCES["train"]
    assert not {one.voice for one in PEOPLE_TRAIN} & {one.voice for one in PEOPLE_EVAL}


def test_each_recording_is_of_one_known_word() -> None:
    said = ALLISON.words
    assert sorted(said.values()) == sorted(WORDS)
    assert said["digits/70.wav"] == "seventy" and said["phonetic/x_p.wav"] == "xray" and said["hello.wav"] == "hello"


def test_the_folder_has_a_row_for_each_utterance_and_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, spoken = prepared(spoken_phrases, tmp_path, monkeypatch, alternative=0)
    assert {split: len(rows) for split, rows in tables.items()} == {"train": 6787, "eval": 573}
    synthetic = [row for rows in tables.values() for row in rows if not row["voice"].startswith("human")]
    assert [(row["file_name"], row["voice"]) for row in synthetic] == [(Path(u.path).name, u.voice) for u in spoken]
    for row, utterance in zip(synthetic, spoken, strict=True):
        assert utterance.text.replace(",", "").split() == [
            part for word in row["text"].split() for part in READ_AS.get(word, word).split()
        ]
    human = [row for row in tables["eval"] if row["voice"] == ALLISON.voice]
    assert len(human) == len(WORDS)
    assert all((tmp_path / "files" / "eval" / row["file_name"]).read_bytes() == b"wav" for row in human)


def test_people_say_their_words_and_in_train_phrases_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, _ = prepared(spoken_phrases, tmp_path, monkeypatch, alternative=0)
    for split, people in (("train", PEOPLE_TRAIN), ("eval", PEOPLE_EVAL)):
        for person in people:
            said = [row for row in tables[split] if row["voice"] == person.voice]
            phrases = [row["text"].split() for row in said if "-phrase-" in row["file_name"]]
            assert len(phrases) == (PEOPLE_PHRASES if split == "train" else 0)
            assert all(spoken_phrases.may_be_said(words, "train", person.voice) for words in phrases)
            assert sorted(row["text"] for row in said[: len(person.words)]) == sorted(person.words.values())
            assert all((tmp_path / "files" / split / row["file_name"]).is_file() for row in said)


def test_words_are_cut_out_of_the_quiet_around_them() -> None:
    loud = np.sin(np.arange(2000, dtype=np.float32))
    quiet = np.zeros(8000, np.float32)
    cut = _people._cut_out(np.concatenate([quiet, loud, quiet]), 8000)
    assert len(loud) + 2 * 8000 * _people.MARGIN_SECONDS == pytest.approx(len(cut), abs=160)


def test_without_the_debian_packages_the_other_voices_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (all_tables, _), (some, _) = (
        prepared(spoken_phrases, tmp_path / name, monkeypatch, alternative)
        for name, alternative in (("all", 0), ("some", 3))
    )
    assert {row["voice"] for rows in some.values() for row in rows} == {
        voice for voices in UTTERANCES.values() for voice in voices if not voice.startswith(("flite-", "piper-"))
    }
    assert all(row in all_tables[split] for split, rows in some.items() for row in rows)


def test_a_missing_synthesiser_is_a_plain_error(tmp_path: Path) -> None:
    utterance = _voices.Utterance("one", "en-us", str(tmp_path / "one.wav"))
    with pytest.raises(BenisonError, match="there is no libespeak-ng.so"):
        _voices.speak([utterance], tmp_path)
