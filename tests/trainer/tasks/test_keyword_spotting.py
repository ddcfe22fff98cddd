"""The task's own parts: coefficients, windows, noise, what is unknown."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from trainer.backend import tf
from trainer.features import audio
from trainer.task import DataSpec
from trainer.tasks.keyword_spotting import UNKNOWN, KeywordSpotting, KeywordSpottingHParams

RATE = 8000


def task_with(**hparams: Any) -> KeywordSpotting:
    return KeywordSpotting(KeywordSpottingHParams(**hparams))


PLAIN = {"shift": 0.0, "warp": 0.0, "tilt": 0.0, "noise": 0.0, "band_mask": 0, "time_mask": 0}


def features_of(task: KeywordSpotting, *decibels: np.ndarray, backdrop: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """What `preprocess` gives of spectrograms `[frames, 26]`."""
    rows = tf.RaggedTensor.from_row_lengths(np.concatenate(decibels).astype("f4"), [len(one) for one in decibels])
    loudest = [int(audio.loudest_window(tf.constant(one, tf.float32), task.window_frames)) for one in decibels]
    return {
        "levels": audio.to_levels(rows, task.floor),
        "frames": rows.row_lengths(),
        "loudest": tf.constant(loudest, tf.int64),
        "label": tf.range(len(decibels), dtype=tf.int64),
        "backdrop": tf.constant(list(backdrop or [b""] * len(decibels))),
    }


def word(begin: int, frames: int = 26, total: int = 80) -> np.ndarray:
    """Loud from `begin` on, in `total` frames."""
    decibels = np.full((total, 26), -30.0)
    decibels[begin : begin + frames] = np.random.default_rng(begin).uniform(0, 20, (frames, 26))
    return decibels


def spec(task: KeywordSpotting, arrays: dict[str, np.ndarray], *classes: str) -> DataSpec:
    shape = tf.TensorSpec([task.window_frames, 13], tf.float32)
    return DataSpec({"window": shape}, {"label": list(classes)}, 4, 100, dict, held_out=lambda: iter([arrays]))


def test_the_network_is_given_26_frames_of_13_coefficients() -> None:
    task = task_with()
    batch = task.batch(features_of(task, word(10), word(40)), None)
    assert batch["window"].shape == (2, 26, 13) and "backdrop" not in batch
    expected = audio.mfcc(tf.constant(word(40)[40:66], tf.float32), 13)
    assert np.asarray(batch["window"][1]) == pytest.approx(np.asarray(expected), abs=0.6)  # half a decibel


def test_training_windows_lie_about_the_loudest() -> None:
    task = task_with(**{**PLAIN, "shift": 0.1})
    features = features_of(task, *[word(40)] * 30)
    first = task.drawn_window(features, tf.constant([0, 1], tf.int64)).numpy()
    assert set(first) == {38, 39, 40, 41, 42}


def test_noise_of_other_records_is_added_where_there_is_some() -> None:
    task = task_with(**PLAIN)
    clean = features_of(task, word(0, 26, 26), word(0, 26, 26))
    seed = tf.constant([0, 3], tf.int64)
    [noise] = audio.to_levels(tf.RaggedTensor.from_row_lengths(np.full((40, 26), 30.0, "f4"), [40]), task.floor).numpy()
    quiet = task.batch(clean, seed)["window"]
    loud = task.batch({**clean, "backdrop": tf.constant([noise, b""])}, seed)["window"]
    assert np.array_equal(quiet[0], loud[0])  # each is mixed with what the one before it brought
    assert float(loud[1, :, 0].numpy().mean()) > float(quiet[1, :, 0].numpy().mean()) + 1


def by_loudness(features: dict[str, Any], training: bool = False) -> Any:
    """Logits of two classes: the louder a window, the surer is it the first."""
    loudness = features["window"][:, 0, 0]
    return tf.stack([loudness, tf.zeros_like(loudness)], axis=1)


def even(level: float) -> np.ndarray:
    return np.full((26, 26), level)


def test_the_answer_is_that_of_the_loudest_window() -> None:
    task = task_with()
    features = task.batch(features_of(task, np.concatenate([even(-9.0), even(3.0), even(-9.0)])), None)
    nothing = {"window": np.zeros((0, 26, 13), "f4"), "label": np.zeros(0, np.int64)}
    answered = task.predict(by_loudness, features, spec(task, nothing, "yes", "no"))
    assert answered["probabilities"][0, 0] > 0.99 and answered["windows"].numpy() == [5]
    assert answered["over_time"][0, 0, 0] < 0.01


@pytest.mark.parametrize(("classes", "index"), [(("yes", "no"), -1), (("yes", "_unknown_"), 1)])
def test_what_is_below_the_measured_threshold_is_unknown(classes: tuple[str, ...], index: int) -> None:
    task = task_with()
    held_out = task.batch(features_of(task, *[even(1.0)] * 40), None)["window"].numpy()
    known = spec(task, {"window": held_out, "label": np.zeros(40, np.int64)}, *classes)
    asked = task.batch(features_of(task, even(1.5), even(0.5)), None)
    answered = task.predict(by_loudness, asked, known)
    assert answered["threshold"].numpy() == pytest.approx([1 / (1 + np.exp(-(26**0.5)))] * 2)
    assert [one.decode() for one in answered["answer"].numpy()] == ["yes", UNKNOWN]
    assert [one.decode() for one in answered["label"].numpy()] == ["yes", "yes"]
    assert answered["answer_index"].numpy().tolist() == [0, index]


def test_where_no_answer_was_right_nothing_is_refused() -> None:
    task = task_with()
    features = features_of(task, word(0))
    window = task.batch(features, None)["window"].numpy()
    known = spec(task, {"window": window, "label": np.array([-1])}, "yes", "no")
    assert task._threshold(by_loudness, known) == 0.0


def test_a_preview_says_that_a_word_is_unknown() -> None:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(RATE), RATE, "PCM_16", format="WAV")
    prediction = {
        "label": b"yes", "labels": np.array([b"yes", b"no"]), "probabilities": np.array([0.6, 0.4]),
        "windows": np.int64(1), "answer": UNKNOWN.encode(),
    }  # fmt: skip
    assert task_with().preview({"sound": stream.getvalue()}, prediction).title == "yes (answer: unknown)"
