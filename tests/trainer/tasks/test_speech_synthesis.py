"""The task's own parts: what is heard and written, what is spoken at which rate and pitch, what people see."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from data.errors import WrongUse
from tests.transformed import write_transformed
from trainer.backend import tf
from trainer.features import audio
from trainer.inputs import TransformedExamples
from trainer.packing import pack
from trainer.preview import Sound, Words
from trainer.task import DataSpec, Features
from trainer.tasks.speech_synthesis import RANGE, SpeechSynthesis, SpeechSynthesisHParams

COLUMNS = {"sound": tf.string, "text": tf.string, "rate": tf.float32, "pitch": tf.float32}
TONES = {"a": 300, "b": 600, "c": 900}
SECONDS = 0.12


def wav(text: str, rate: int, loudness: float = 0.3) -> bytes:
    """A tone for each letter."""
    time = np.arange(round(SECONDS * rate)) / rate
    tones = [loudness * np.sin(2 * np.pi * TONES[letter] * time) for letter in text]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate(tones), rate, "PCM_16", format="WAV")
    return file.getvalue()


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    return samples, rate


class Tried(NamedTuple):
    task: SpeechSynthesis
    examples: TransformedExamples
    spec: DataSpec
    model: Any

    def features(self, **rows: list[Any]) -> Features:
        """What the graph makes of a batch without recordings."""
        count = len(rows["text"])
        given = {"rate": [1.0] * count, "pitch": [1.0] * count} | rows
        raw = {name: tf.constant(values, COLUMNS[name]) for name, values in given.items()}
        layer = self.examples.transform_output.transform_features_layer()
        wanted = ("text", "characters", "remark", "rate", "pitch")

        @tf.function  # as in serving, whose graph is cut to what can be had without recordings
        def transform(given: Features) -> Features:
            made = layer(given)
            return {name: made[name] for name in wanted}

        return dict(transform(raw))


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    folder = tmp_path_factory.mktemp("synthesis")
    task = SpeechSynthesis(SpeechSynthesisHParams(sample_rate=8000, bands=24, width=8, layers=1, kernel=3))
    texts = ["abc", "cab", "ba", "cb", "ac", "bca"]
    rows = [
        {"sound": wav(text, 8000 if i % 2 else 16000), "text": text.upper().encode(), "rate": 1.0, "pitch": 1.0}
        for i, text in enumerate(texts)
    ]
    files = write_transformed(lambda inputs: pack(task.preprocess(dict(inputs))), COLUMNS, rows, folder)
    examples = TransformedExamples(files, str(folder / "graph"), task)
    spec = examples.spec(10, {})
    return Tried(task, examples, spec, task.build_model(spec))


def test_recordings_of_any_rate_keep_their_level_and_texts_their_letters(tried: Tried) -> None:
    train = tried.examples.arrays()
    assert sorted(tried.spec.vocabularies["characters"]) == ["a", "b", "c"]
    assert train["frames"].tolist() == pytest.approx([80 * SECONDS * n for n in (3, 3, 2, 2, 2, 3)], abs=1)
    assert train["sound"].shape == (6, train["frames"].max(), 24, 1) and train["characters"][0] == 3
    assert train["sound"].max() == RANGE / audio.LEVEL_DECIBELS
    tone = tf.constant(samples_of(wav("c", 8000))[0])
    loudest = audio.mel_decibels(tone, tried.task.scale, keeps_level=True).numpy().max()
    assert float(train["floor"][0]) + RANGE == pytest.approx(loudest, abs=3)


def test_what_is_spoken_lasts_as_long_as_rate_says_whatever_the_pitch(tried: Tried) -> None:
    features = tried.features(text=["abc"] * 3, rate=[1.0, 0.5, 1.0], pitch=[1.0, 1.0, 1.6])
    answer = tried.task.predict(tried.model, features, tried.spec)
    usual, slow, high = (samples_of(content)[0] for content in answer["wav_bytes"].numpy())
    assert len(usual) / 8000 == pytest.approx(float(answer["seconds"][0]), abs=1e-3)
    assert len(slow) / len(usual) == pytest.approx(2.0, rel=0.1)
    assert len(high) / len(usual) == pytest.approx(1.0, rel=0.1)
    np.testing.assert_allclose(tf.reduce_sum(answer["lasting"], 1), answer["seconds"], rtol=1e-4)
    assert set(answer) == {"wav_bytes", "seconds", "remark", "lasting"}


def test_another_pitch_moves_the_spectrum(tried: Tried) -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(8000) / 8000).astype(np.float32)
    sounds = tried.task._wav(tf.constant(np.stack([tone] * 2)), tf.constant([60, 60]), tf.constant([1.0, 1.25]))
    heard = [samples_of(content)[0] for content in sounds.numpy()]
    peaks = [np.argmax(np.abs(np.fft.rfft(one))) * 8000 / len(one) for one in heard]
    assert peaks == pytest.approx([500, 625], abs=5) and len(heard[1]) == pytest.approx(len(heard[0]) / 1.25, abs=2)


def test_what_training_never_heard_is_named_and_the_rest_is_spoken(tried: Tried) -> None:
    features = tried.features(text=["Abc.", "a-ж c ж", "7", "abc" * 600])
    assert features["characters"].numpy().tolist() == [3, 2, 0, 1500]
    said = [remark.decode() for remark in features["remark"].numpy()]
    assert said[0] == "" and said[3] == "cut to the first 1500 characters"
    assert said[1] == "not spoken, since training never heard it: ж" and "s e v n" in said[2]
    answer = tried.task.predict(tried.model, {n: v[:3] for n, v in features.items()}, tried.spec)
    assert all(len(samples_of(content)[0]) > 100 for content in answer["wav_bytes"].numpy())


def test_in_evaluation_both_are_compared_and_the_reference_by_the_same_metrics(tried: Tried) -> None:
    train = tried.examples.arrays()
    answer = tried.task.predict(tried.model, {name: tf.constant(value) for name, value in train.items()}, tried.spec)
    recorded = np.isfinite(answer["recorded_cepstra"].numpy()).all(-1).sum(1)
    assert recorded.tolist() == train["frames"].tolist()
    assert np.round(answer["recorded_lasting"].numpy().sum(1) * 80).astype(int).tolist() == train["frames"].tolist()
    [scores] = tried.task.reference(train, train, tried.spec).values()
    assert set(scores) == {metric.name for metric in tried.task.metrics().metrics} - {"wer"}
    assert all(0 < score < 40 for score in scores.values())


def test_a_text_too_long_for_its_recording_is_a_bad_record() -> None:
    assert not SpeechSynthesis.refuse({"text": b"abc", "sound_seconds": 0.07})
    assert SpeechSynthesis.refuse({"text": b"abcd", "sound_seconds": 0.07}) == (
        "4 characters cannot be said in 0.07 seconds"
    )


def test_a_rate_that_cannot_be_resampled_to_is_refused() -> None:
    with pytest.raises(WrongUse, match="sample_rate is 8001"):
        _ = SpeechSynthesis(SpeechSynthesisHParams(sample_rate=8001)).scale


def test_what_xla_cannot_compile_is_refused(tried: Tried) -> None:
    with pytest.raises(WrongUse, match="XLA cannot compile"):
        SpeechSynthesis(SpeechSynthesisHParams(xla=True)).build_model(tried.spec)


def test_what_is_spoken_is_shown_beside_the_recording(tried: Tried) -> None:
    prediction = {"wav_bytes": wav("ab", 8000), "seconds": 0.24, "remark": b"not spoken: x", "lasting": np.ones(4)}
    shown = tried.task.preview({"text": b"abx", "sound": wav("abc", 16000)}, prediction)
    sounds = [part for part in shown.parts if isinstance(part, Sound)]
    assert [(part.caption, part.rate) for part in sounds] == [("spoken", 8000), ("recording", 16000)]
    assert [part.caption for part in shown.parts if isinstance(part, Words)] == ["not spoken: x"]
    assert len(tried.task.preview({"text": b"abx"}, prediction).parts) == 2
    assert tried.task.answer_row({}, {"seconds": 0.24, "remark": "", "lasting": [1.0]}) == {"seconds": 0.24}
