"""The process that speaks: one engine of each kind, and no sound that is empty. No synthesiser is run."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import soundfile

from data.sets import _voices
from data.sets._voices import Speak, Utterance


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines that say one sample for each letter; their names, as they are started."""
    names: list[str] = []

    def named(name: str) -> None:
        def start(_libraries: Path) -> Speak:
            names.append(name)
            return lambda utterance: (b"\1\0" * len(utterance.text), 8000)

        monkeypatch.setattr(_voices, f"_{name}", start)

    for name in ("espeak", "flite", "piper"):
        named(name)
    return names


def serve(monkeypatch: pytest.MonkeyPatch, *utterances: Utterance) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(json.dumps(asdict(one)) + "\n" for one in utterances)))
    _voices._serve(Path("libraries"))


def test_each_engine_is_started_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[str]) -> None:
    voices = ("en-us", "en+f1", "flite-slt", "en-gb-x-rp+m1", "piper-joe", "ru", "en-us+m3", "flite-awb")
    said = [Utterance("seven", voice, str(tmp_path / f"{voice}.flac")) for voice in voices]
    serve(monkeypatch, *said)
    assert started == ["espeak", "flite", "piper"]
    assert all(soundfile.info(one.path).frames == 5 for one in said)


def test_a_voice_that_says_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[str]) -> None:
    with pytest.raises(RuntimeError, match="en-us says nothing where it is to say ''"):
        serve(monkeypatch, Utterance("", "en-us", str(tmp_path / "x.flac")))
