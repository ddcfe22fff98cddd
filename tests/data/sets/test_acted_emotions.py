"""The acted emotions: who says what in which mood, and the folder made of the archive. No synthesiser is run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.sets import _voices, acted_emotions
from data.sets.acted_emotions import RULES, TIMES, VOICES, sentences
from tests.archives import tar_gz
from tests.voices import Tables, tables

ENGINE = "espeakng_loader/espeak-ng-data/voices/!v"


def prepared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Tables, list[Any], dict[str, str]]:
    variants = {voice.partition("+")[2] for voices in VOICES.values() for voice in voices}
    members = {f"{ENGINE}/{variant}": f"language variant\nname {variant}\n".encode() for variant in variants}
    said: list[Any] = []
    found: dict[str, str] = {}

    def speak(utterances: Any, libraries: Path) -> None:
        said.extend(utterances)
        found.update({path.name: path.read_text("utf-8") for path in (libraries / ENGINE).iterdir()})

    monkeypatch.setattr(_voices, "speak", speak)
    [source] = acted_emotions.DATA_SET.sources[0]
    archive = tar_gz(folder / "engine", {"espeakng_loader/libespeak-ng.so": b"library", **members})
    acted_emotions.prepare([archive], folder / "files", [source])
    return tables(folder / "files"), said, found


def test_no_voice_and_no_sentence_is_on_both_sides() -> None:
    assert not set(VOICES["train"]) & set(VOICES["eval"]) and not set(sentences("train")) & set(sentences("eval"))
    assert len(sentences("train")) > TIMES["train"] and len(sentences("eval")) > TIMES["eval"]


def test_every_voice_speaks_in_every_mood_and_says_no_sentence_twice_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits, said, variants = prepared(tmp_path, monkeypatch)
    for split, rows in splits.items():
        counts = Counter((row["voice"], row["label"]) for row in rows)
        assert counts == {(voice, mood): TIMES[split] for voice in VOICES[split] for mood in RULES}
        assert len({row["file_name"] for row in rows}) == len(rows)
    rows = [row for split in splits.values() for row in split]
    assert [row["file_name"] for row in rows] == [Path(utterance.path).name for utterance in said]
    texts = Counter((utterance.voice, utterance.text) for utterance in said)
    assert set(texts.values()) == {1}
    assert variants["m1-sad"].splitlines() == ["language variant", "name m1", *RULES["sad"].quality]
    assert all(utterance.voice.partition("+")[2] in variants for utterance in said)


def test_moods_are_told_by_how_they_are_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, said, _ = prepared(tmp_path, monkeypatch)

    def mean(mood: str, what: str) -> float:
        return float(np.mean([getattr(one, what) for one in said if one.voice.endswith(f"-{mood}")]))

    assert mean("sad", "pitch") < mean("neutral", "pitch") < mean("happy", "pitch")
    assert mean("sad", "speed") < mean("neutral", "speed") < mean("fearful", "speed")
    assert mean("sad", "volume") < mean("neutral", "volume") < mean("angry", "volume")
    assert mean("sad", "pitch_range") < mean("neutral", "pitch_range") < mean("happy", "pitch_range")
