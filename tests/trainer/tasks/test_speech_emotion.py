"""The task's own parts: prosody, what training changes, the names of files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.features.test_audio import voiced
from trainer.backend import tf
from trainer.features import audio
from trainer.task import DataSpec
from trainer.tasks.speech_emotion import SpeechEmotion, SpeechEmotionHParams

RATE = 16000


def task_with(**hparams: Any) -> SpeechEmotion:
    return SpeechEmotion(SpeechEmotionHParams(**hparams))


def prosody(samples: np.ndarray) -> np.ndarray:
    task = task_with()
    decibels = audio.mel_decibels(tf.constant(samples), task.scale, keeps_level=True)
    return np.asarray(task.summary(tf.constant(samples), decibels))


def test_prosody_is_pitch_its_range_voicing_pace_and_loudness() -> None:
    half = np.zeros(RATE // 4, np.float32)
    speech = np.concatenate([part for _ in range(4) for part in (voiced(np.full(RATE // 4, 150.0), RATE), half)])
    found = prosody(speech)
    assert found.shape == (task_with().summary_size,)
    assert np.exp(found[[0, 2, 3]]) == pytest.approx([150] * 3, rel=0.03) and found[1] < 0.05
    assert found[4] == pytest.approx(0.5, abs=0.1) and found[5] == pytest.approx(2, abs=0.6)
    louder = prosody(3 * speech)
    assert louder[:6] == pytest.approx(found[:6], abs=1e-3)
    assert louder[8] - found[8] == pytest.approx(20 * np.log10(3), abs=0.1)


@pytest.mark.parametrize("samples", [np.zeros(RATE), np.array([0.3])], ids=["silence", "a single sample"])
def test_prosody_of_what_is_no_speech_is_finite(samples: np.ndarray) -> None:
    assert np.isfinite(prosody(samples.astype(np.float32))).all()


def test_how_loud_a_window_is_is_kept_and_changed_in_training_by_little() -> None:
    task = task_with(warp=0.0, tilt=0.0, noise=0.0, gain=3.0)
    frames = np.random.default_rng(0).uniform(-60, 0, (8, 20, 40)).astype(np.float32)
    changed = np.asarray(task.augmented(tf.constant(frames), {}, tf.constant([0, 1], tf.int64)))
    gains = (changed - frames).mean(axis=(1, 2))
    assert (np.abs(gains) <= 3.2).all() and len(set(gains.round(2))) == 8


@pytest.mark.parametrize(
    ("stem", "mood", "voice"),
    [
        ("03-01-06-01-02-01-12", "fearful", "12"),
        ("03-01-01-01-01-02-01", "neutral", "01"),
        ("03a01Fa", "happy", "03"),
        ("16b10Wb", "angry", "16"),
        ("03-01-09-01-02-01-12", None, "12"),
        ("song", None, None),
    ],
)
def test_names_of_files_of_ravdess_and_emodb_tell_mood_and_voice(
    stem: str, mood: str | None, voice: str | None
) -> None:
    columns = SpeechEmotion.columns
    assert (
        columns["label"].said_by_name(f"wav/{stem}.wav") == mood
        and columns["voice"].said_by_name(f"wav/{stem}.wav") == voice
    )


def test_scores_of_the_reference_are_the_metrics_own() -> None:
    probabilities = np.eye(3)[[0, 0, 1, 2]]
    scores = task_with().scores(np.array([0, 1, 1, 2]), probabilities)
    assert scores == {"unweighted_average_recall": pytest.approx((1 + 0.5 + 1) / 3), "accuracy": 0.75}


def test_silence_is_no_mood() -> None:
    task = task_with(window_seconds=1.6)  # 100 frames
    nothing, speech = np.full((300, 40), -100.0, np.float32), np.full((300, 40), -30.0, np.float32)
    rows = [nothing, np.concatenate([nothing, speech]), nothing - 40.0 + 40.0 * np.eye(300, 40, dtype=np.float32)]
    decibels = tf.RaggedTensor.from_row_lengths(np.concatenate(rows), [len(row) for row in rows])
    features = {
        "levels": audio.to_levels(decibels, task.floor),
        "frames": decibels.row_lengths(),
        "loudest": tf.zeros([3], tf.int64),
    }

    def model(features: dict[str, Any], training: bool = False) -> Any:
        is_loud = tf.reduce_mean(features["window"], axis=[1, 2]) > -90
        return tf.where(is_loud[:, tf.newaxis], [[9.0, 0.0]], [[0.0, 9.0]])

    spec = DataSpec({}, {"label": ["happy", "fearful"]}, 4, 100, dict)
    answered = task.predict(model, features, spec)
    assert [one.decode() for one in answered["answer"].numpy()] == ["silence", "happy", "silence"]
    heard = [[one.decode() for one in row if one] for row in answered["heard"].numpy()]
    assert set(heard[0]) == {"silence"} and heard[1][0] == "silence" and heard[1][-1] == "happy"
    assert answered["probabilities"][1, 0] > 0.9  # of what is heard alone
