"""Music generation: what is asked for is what is written, and a seed writes the same tune in any batch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from data.columns import BadColumn, encode_row
from data.media import abc
from trainer.backend import tf
from trainer.features import tunes
from trainer.features.texts import END, PAD, START
from trainer.preview import Sound, Words
from trainer.task import DataSpec
from trainer.tasks import music_generation
from trainer.tasks.music_generation import MusicGeneration

WORDS = ["maj", "min", "M:4/4", "M:3/4", "|", "C2", "E2", "G2", "c4", "C", "z2", "(3:2:3"]


def train(limit: int | None = None, only: Sequence[str] = ()) -> dict[str, np.ndarray[Any, Any]]:
    tune = np.array([[4, 6, 9, 10, 9, 10, 8], [5, 7, 9, 10, 11, 8, 0]])
    return {"tune": tune, "keynote": np.array([tunes.KEYNOTES.index("D"), tunes.KEYNOTES.index("A")])}


@pytest.fixture(scope="module")
def spec() -> DataSpec:
    return DataSpec({}, {tunes.VOCABULARY: WORDS}, 2, steps=10, train=train)


@pytest.fixture(scope="module")
def task() -> MusicGeneration:
    return MusicGeneration(MusicGeneration.HParams(units=8, embedding_size=4))


@pytest.fixture(scope="module")
def model(task: MusicGeneration, spec: DataSpec) -> Any:
    tf.keras.utils.set_random_seed(5)
    return task.build_model(spec)


def asked(count: int = 1, **given: Any) -> dict[str, Any]:
    """As a person gives it, encoded by the columns."""
    columns = {name: column for name, column in MusicGeneration.columns.items() if name != "tune"}
    row = encode_row(columns, {"seed": 3, "bars": 4, **given}, lambda name, path: b"")
    dtypes = {bytes: tf.string, int: tf.int64, float: tf.float32}
    return {name: tf.fill([count], tf.constant(row[name], dtypes[type(row[name])])) for name in columns}


def answered(task: MusicGeneration, model: Any, spec: DataSpec, count: int = 1, **given: Any) -> dict[str, Any]:
    features = asked(count, **given)
    if "seed" not in given:
        features["seed"] = tf.range(3, 3 + count, dtype=tf.int64)
    return {name: value.numpy() for name, value in task.predict(model, features, spec).items()}


def test_the_same_seed_writes_the_same_tune_in_any_batch(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    both = answered(task, model, spec, 2)["abc"]
    assert both[0] != both[1]
    assert answered(task, model, spec)["abc"][0] == both[0]
    greedy = [answered(task, model, spec, temperature=0.0, key="D", seed=seed)["abc"][0] for seed in (1, 2)]
    assert greedy[0] == greedy[1]


def test_key_metre_and_opening_are_kept(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    found = answered(task, model, spec, key="Ebm", metre="3/4", opening="E2 G2 | E2", tempo=90)
    text = found["abc"][0].decode()
    assert "M:3/4\nL:1/8\nQ:1/4=90\nK:Ebm\n" in text
    assert found["remark"][0] == b"notes of the opening that training never saw are left out; "  # G flat, a minor third
    text = answered(task, model, spec, key="Eb", metre="3/4", opening="E2 G2 | E2")["abc"][0].decode()
    assert text.partition("K:Eb\n")[2].split()[:4] == ["E2", "G2", "|", "E2"]
    assert abc.entries(text)


def test_files_hold_the_tune(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    found = answered(task, model, spec, metre="4/4")
    notes = found["notes"][0]
    sounding = notes[notes[:, 2] > 0]
    played = [m.note for m in mido.MidiFile(file=io.BytesIO(found["midi_bytes"][0])) if m.type == "note_on"]
    assert played == sounding[:, 0].astype(int).tolist()
    samples, rate = soundfile.read(io.BytesIO(found["wav_bytes"][0]))
    assert len(samples) / rate == pytest.approx((sounding[:, 1] + sounding[:, 2]).max(), abs=0.5)


def test_what_training_never_saw_is_told(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    assert b"no tune in this metre" in answered(task, model, spec, metre="9/8")["remark"][0]
    assert b"no tune in such a mode" in answered(task, model, spec, key="Ddor")["remark"][0]
    assert answered(task, model, spec, key="D", metre="4/4")["remark"][0] == b""


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"opening": "C2"}, "give key and metre too"),
        ({"opening": "??", "key": "C", "metre": "4/4"}, "is no ABC"),
        ({"key": "H"}, "H"),
        ({"bars": 0}, "out of bounds"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadColumn, match=reason):
        asked(**given)


def test_it_is_told_whether_a_tune_ends_by_itself(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    """No bar is cut, and a tune that did not end has all of its bars."""
    found = answered(task, model, spec, 8, bars=2)
    for text, ended in zip(found["abc"], found["ended"], strict=True):
        bars = text.decode().partition("K:")[2].count("|")
        assert bars <= 2 and (ended == 1.0 or bars == 2)
    assert 0.0 in found["ended"]


def test_drawing_foresees_as_judging_does(model: Any) -> None:
    """Step by step the same probabilities as for whole tunes."""
    tune = tf.constant(train()["tune"])
    whole = tf.nn.log_softmax(model({"given": tf.pad(tune, [[0, 0], [1, 0]], constant_values=START)}))
    place = tunes.Place.first(tune[:, 0])
    memory = ((tf.zeros([2, 8]), tf.zeros([2, 8])),)
    for step, numbers in enumerate([tf.fill([2], tf.constant(START, tf.int64)), *tf.unstack(tune, axis=1)[:-1]]):
        logits, place, memory = model._step(numbers, place, memory)
        np.testing.assert_allclose(tf.nn.log_softmax(logits), whole[:, step], rtol=1e-4, atol=1e-5)


def test_the_trigram_sees_each_token_and_the_end_behind_two_others() -> None:
    windows = music_generation._windows(np.array([[4, 6, 9], [5, 7, PAD]]), music_generation.HEAD)
    assert windows.tolist() == [[4, 6, 9], [6, 9, END], [5, 7, END]]


def test_the_preview_shows_notes_sound_and_text(task: MusicGeneration, model: Any, spec: DataSpec) -> None:
    found = {name: value[0] for name, value in answered(task, model, spec, key="D", metre="3/4").items()}
    shown = task.preview({}, found)
    assert [type(part) for part in shown.parts] == [Sound, Words]
    assert shown.parts[0].notes.shape[1] == 3  # type: ignore[attr-defined]
    assert shown.title == "D, 3/4"
