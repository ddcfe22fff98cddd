"""Tunes inside the graph: ABC, MIDI and sound of tokens, and where a bar stands."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest
import soundfile

from data.media import abc
from trainer.backend import tf
from trainer.features import tunes

TUNES = [
    "X:1\nM:6/8\nL:1/8\nK:D\nA|d2e fed|cdB A2G|F3-F2A|^G=G^G A2:|",
    "X:2\nM:4/4\nL:1/8\nK:Bbm\nB2 (3=abc d'2 z2|[M:2/4]D,4|",
    "X:3\nM:2/4\nL:1/16\nK:Edor\nE2F2 G4-|G4 _A4|",
]


@pytest.fixture(scope="module")
def tokens() -> tunes.Tokens:
    words = {word for text in TUNES for word in abc.read(text).text.split()}
    return tunes.Tokens({tunes.VOCABULARY: sorted(words)})


def written(tokens: tunes.Tokens) -> tunes.Written:
    read = [abc.read(text) for text in TUNES]
    numbers = tf.ragged.constant([[tokens.words.index(word) for word in one.text.split()] for one in read], tf.int64)
    padded = numbers.to_tensor(0)
    keynote = tf.constant([tunes.KEYNOTES.index(one.keynote) for one in read])
    mode = tf.constant([tunes.MODES.index(one.text.split()[0]) for one in read])
    return tunes.Written(padded[:, 2:], keynote, mode, padded[:, 1], tf.fill([3], 120))


def test_abc_is_read_back_as_it_was(tokens: tunes.Tokens) -> None:
    for text, found in zip(TUNES, tunes.abc(written(tokens), tokens).numpy(), strict=True):
        assert abc.read(found.decode()) == abc.read(text)


def test_midi_holds_the_notes_metre_and_key(tokens: tunes.Tokens) -> None:
    made = written(tokens)
    for content, pitches, metre, key in zip(
        tunes.midi(tunes.sounds(made, tokens), made, tokens).numpy(),
        (
            [69, 74, 76, 78, 76, 74, 73, 74, 71, 69, 67, 66, 69, 68, 67, 68, 69],
            [70, 81, 82, 72, 85, 49],
            [64, 66, 67, 68],
        ),
        ("6/8", "4/4", "2/4"),
        ("D", "Bbm", "D"),
        strict=True,
    ):
        file = list(mido.MidiFile(file=io.BytesIO(content)))
        assert [message.note for message in file if message.type == "note_on"] == pitches
        [told] = [message for message in file if message.type == "time_signature"]
        assert f"{told.numerator}/{told.denominator}" == metre
        assert [message.key for message in file if message.type == "key_signature"] == [key]


def test_before_an_upbeat_the_rest_of_its_bar_is_silent(tokens: tunes.Tokens) -> None:
    made = written(tokens)
    content = tunes.midi(tunes.sounds(made, tokens), made, tokens).numpy()[0]
    first = next(message for message in mido.MidiFile(file=io.BytesIO(content)) if message.type == "note_on")
    assert first.time == pytest.approx(5 * 0.25)  # five eighths at 120 quarters a minute


def test_a_tune_sounds_as_long_as_it_is(tokens: tunes.Tokens) -> None:
    made = written(tokens)
    instrument = tf.random.stateless_normal([13, 4000], [1, 2])
    found = tunes.wav(tunes.sounds(made, tokens), made.tempo, instrument, 60, 8000).numpy()
    seconds = [(6 * 3 + 6) / 4, 3.0, 2.0]
    for content, expected in zip(found, seconds, strict=True):
        samples, rate = soundfile.read(io.BytesIO(content))
        assert rate == 8000
        assert len(samples) / rate == pytest.approx(expected, abs=0.5)
        assert np.abs(samples).max() > 0.1


def test_places_are_those_step_by_step(tokens: tunes.Tokens) -> None:
    numbers = written(tokens).numbers
    whole = tunes.places(numbers, tokens)
    place = tunes.Place.first(tf.zeros([3]))
    for step in range(numbers.shape[1]):
        place = tunes.advance(place, numbers[:, step], tokens)
        np.testing.assert_array_equal(place.position, whole.position[:, step])
        np.testing.assert_array_equal(place.bars, whole.bars[:, step])


def test_a_tune_without_notes_is_silent_and_a_file_all_the_same(tokens: tunes.Tokens) -> None:
    made = written(tokens)._replace(numbers=tf.zeros([3, 4], tf.int64))
    sounding = tunes.sounds(made, tokens)
    [samples, *_] = [
        soundfile.read(io.BytesIO(one))[0] for one in tunes.wav(sounding, made.tempo, tf.ones([9, 9]), 60, 8000).numpy()
    ]
    assert len(samples) and not samples.any()
    for content in tunes.midi(sounding, made, tokens).numpy():
        assert [m for m in mido.MidiFile(file=io.BytesIO(content)) if m.type == "note_on"] == []
