"""A MIDI file becomes one text of notes and waits, and such a text a MIDI file again."""

import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadValue
from data.media.midis import midi, tokens


def tune(*messages, tempo=500_000, tracks=1):
    file = mido.MidiFile(ticks_per_beat=100)
    for _ in range(tracks):
        track = file.add_track()
        track.append(mido.MetaMessage("set_tempo", tempo=tempo))
        track.extend(message.copy() for message in messages)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def note(kind, pitch, ticks=0, **more):
    return mido.Message(f"note_{kind}", note=pitch, time=ticks, **more)


def test_notes_and_waits_in_the_order_of_time():
    content = tune(note("on", 60), note("on", 64, 50), note("off", 60, 50), note("on", 64, 300, velocity=0))
    assert tokens(content) == "on_60 wait_25 on_64 wait_25 off_60 wait_100 wait_50 off_64"


def test_tempo_is_in_the_waits_and_silence_before_the_first_note_is_not():
    content = tune(note("on", 60, 500), note("off", 60, 100), tempo=1_000_000)
    assert tokens(content) == "on_60 wait_100 off_60"


def test_drums_are_left_out_and_a_pitch_that_begins_twice_ends_between():
    content = tune(note("on", 36, channel=9), note("on", 60), note("on", 60, 10), note("off", 60, 10))
    assert tokens(content) == "on_60 wait_5 off_60 on_60 wait_5 off_60"


@settings(deadline=None)  # a first import takes its time
@given(st.lists(st.sampled_from(["on_60", "off_60", "on_72", "off_72", "wait_7", "wait_100", "nonsense", "on_400"])))
def test_any_text_gives_a_midi_file_that_gives_its_notes_again(words):
    content = midi(" ".join(words))
    assert content.startswith(b"MThd")
    if {"on_60", "on_72"} & set(words):
        again = tokens(content)
        assert tokens(midi(again)) == again


def test_what_is_no_tune_is_refused_in_words():
    with pytest.raises(BadValue, match="holds no note"):
        tokens(tune())
    with pytest.raises(BadValue, match="more than 3 tokens"):
        tokens(tune(note("on", 60), note("off", 60, 900)), max_tokens=3)
    content = tune(note("on", 60), note("off", 60, 900))
    for length in range(len(content) - 5):
        with pytest.raises(BadValue):
            tokens(content[:length])


@settings(deadline=None)  # a first import takes its time
@given(st.binary(max_size=200), st.sampled_from([b"", b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk"]))
def test_no_other_failure_comes_of_damaged_bytes(rest, start):
    try:
        tokens(start + rest)
    except BadValue as error:
        assert str(error)
