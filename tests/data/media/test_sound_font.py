"""Notes played by a sound font: what of it needs no synthesiser; and how a tune is played."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from data.errors import BenisonError
from data.media import abc, tunes
from data.media.sound_font import Orchestra, Performance


def test_without_its_library_the_synthesiser_says_so(tmp_path: Path) -> None:
    orchestra = Orchestra(tmp_path, tmp_path / "none.sf2")
    with pytest.raises(BenisonError, match="tinysoundfont"):
        orchestra.play([Performance(str(tmp_path / "a.wav"), 0, [(0.0, 1.0, 60, 90)], 1.0)], 8000)


FAKE = """
import numpy as np
class Synth:
    def __init__(self, samplerate):
        self.on = {}
    def sfload(self, font):
        return 1
    def program_select(self, channel, font, bank, program):
        self.program = program
    def noteon(self, channel, pitch, velocity):
        self.on[pitch] = velocity
    def noteoff(self, channel, pitch):
        self.on.pop(pitch, None)
    def sounds_off(self):
        self.on = {}
    def generate(self, count):
        return np.full((count, 2), len(self.on) / 4, np.float32).tobytes()
"""


def test_notes_begin_and_end_at_their_samples(tmp_path: Path) -> None:
    import soundfile

    (tmp_path / "tinysoundfont.py").write_text(FAKE)
    paths = [str(tmp_path / f"{number}.flac") for number in range(3)]
    notes = [(0.25, 0.5, 60, 90), (0.375, 9.0, 64, 90)]
    Orchestra(tmp_path, tmp_path / "a.sf2").play([Performance(path, 1, notes, 1.0) for path in paths], 8000)
    for path in paths:
        samples, rate = soundfile.read(path)
        assert (rate, len(samples)) == (8000, 8000)
        loud = [round(float(level) / 0.35) for level in samples[[1000, 2500, 3500, 4500, 7900]]]
        assert loud == [0, 1, 2, 1, 1]


def test_a_tune_is_played_in_its_key_with_ties_as_one_note() -> None:
    tune = abc.read("X:1\nM:2/4\nL:1/8\nK:D\nd2f2-|f2 z2|(3ABc d2|")
    played = tunes.played(tune)
    assert [(note.pitch, note.is_first) for note in played] == [
        (74, True),
        (78, False),
        (69, True),
        (71, False),
        (73, False),
        (74, False),
    ]
    assert (played[1].begins, played[1].ends) == (Fraction(1, 4), Fraction(3, 4))
    assert played[3].begins == 1 + Fraction(1, 12)
