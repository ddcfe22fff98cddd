"""Melodies of MIDI files."""

from __future__ import annotations

import io
from fractions import Fraction

import mido
import pytest

from data.errors import BadValue
from data.media import midi_tunes
from data.media.midi_tunes import Note

TICKS = 480


def midi(notes: list[tuple[float, float, int]], *heads: mido.MetaMessage, channel: int = 0) -> bytes:
    """`notes`: beginning and end in quarters, and pitch."""
    events = [(at, kind, pitch) for a, b, pitch in notes for at, kind in ((a, "note_on"), (b, "note_off"))]
    file, now = mido.MidiFile(ticks_per_beat=TICKS), 0
    track = file.add_track()
    track.extend(heads)
    for at, kind, pitch in sorted(events, key=lambda event: (event[0], event[1])):
        there = round(at * TICKS)
        track.append(mido.Message(kind, note=pitch, velocity=64, time=there - now, channel=channel))
        now = there
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


METRE = mido.MetaMessage("time_signature", numerator=3, denominator=4)
KEY = mido.MetaMessage("key_signature", key="D")


def test_metre_and_key_are_those_of_the_file() -> None:
    tune = midi_tunes.read(midi([(0, 1, 62), (1, 2, 66), (2, 3, 69), (3, 6, 74)], METRE, KEY))
    assert tune == ("maj M:3/4 C2 E2 G2 | c6 |", "D")


def test_the_highest_note_sounds_on_across_the_bar_and_triplets_are_told() -> None:
    third = 1 / 3
    notes = [(0, 2, 60), (0, 2, 72), (1, 2, 64), (2, 4, 67), (4, 4 + third, 72), (4 + third, 4 + 2 * third, 74)]
    tune = midi_tunes.read(
        midi([*notes, (4 + 2 * third, 5, 76), (5.02, 5.98, 72)], METRE, mido.MetaMessage("key_signature", key="C"))
    )
    assert tune.text == "maj M:3/4 c4 G2- | G2 (3:2:3 c d e c2 |"


def test_without_a_key_the_likeliest_is_taken() -> None:
    scale = [62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62]
    assert midi_tunes.read(midi([(i, i + 1, pitch) for i, pitch in enumerate(scale)])).keynote == "D"
    minor = [69, 71, 72, 74, 76, 77, 76, 72, 69, 68, 69]
    tune = midi_tunes.read(midi([(i, i + 1, pitch) for i, pitch in enumerate(minor)]))
    assert tune.keynote == "A" and tune.text.startswith("min ")


def test_the_skyline_is_one_note_at_a_time() -> None:
    def at(start: int, end: int, pitch: int) -> Note:
        return Note(Fraction(start), Fraction(end), pitch)

    assert midi_tunes.skyline([at(0, 4, 60), at(0, 2, 72), at(1, 3, 65), at(1, 2, 76)]) == [at(0, 1, 72), at(1, 2, 76)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"MThd" + bytes(20), "cannot be read"),
        (midi([]), "holds no note"),
        (midi([(0, 1, 40)], channel=9), "holds no note"),
    ],
)
def test_what_is_no_tune_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        midi_tunes.read(content)
