"""Classifiers of sounds: windows in training and in inference, the answer over time, the reference, what is shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.transformed import write_transformed
from trainer.backend import tf
from trainer.families import classification, sounds
from trainer.inputs import TransformedExamples
from trainer.packing import pack
from trainer.preview import Bars, Curve, Sound
from trainer.task import DataSpec, Evaluation

RATE = 8000
FRAMES = 10
"""Of a window of a second."""


class Tones(sounds.SoundClassifierTask):
    title, questions, data, split_by = "Tones", (), "", "voice"

    frame_seconds = hop_seconds = 0.1

    def network(self, window: Any) -> Any:
        return tf.keras.layers.Flatten()(tf.keras.layers.Rescaling(1 / 40, 1)(window))

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        return {"accuracy": float((probabilities.argmax(axis=1) == labels).mean())}

    def metrics(self) -> Evaluation:
        return classification.evaluation(accuracy_bound=None, slices=("label", "voice"))


TASK = Tones(sounds.SoundHParams(sample_rate=RATE, bands=16, window_seconds=1.0, dropout=0.0, learning_rate=0.02))


def wav(*hertz: float, seconds: float = 1.0, level: float = 0.3) -> bytes:
    """Tones one after the other, each so long."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples = np.concatenate([level * np.sin(2 * np.pi * one * time) for one in hertz])
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, "PCM_16", format="WAV")
    return stream.getvalue()


ROWS = [
    {"sound": wav(300), "label": "low"},
    {"sound": wav(2500), "label": "high"},
    {"sound": wav(300, 300, 300, 2500, 2500, 2500), "label": "low"},
    {"sound": wav(2500, seconds=0.4), "label": "high"},
]


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> TransformedExamples:
    folder: Path = tmp_path_factory.mktemp("tones")
    columns = {"sound": tf.string, "label": tf.string}
    files = write_transformed(lambda inputs: pack(TASK.preprocess(dict(inputs))), columns, ROWS, folder)
    return TransformedExamples(files, str(folder / "graph"), TASK)


@pytest.fixture(scope="module")
def arrays(examples: TransformedExamples) -> dict[str, np.ndarray]:
    return examples.arrays()


def trained(examples: TransformedExamples, arrays: dict[str, np.ndarray]) -> tuple[Any, DataSpec]:
    spec = examples.spec(100, {})
    model = TASK.build_model(spec)
    label = arrays["label"][[0, 1, 3]]
    model.fit({"window": arrays["window"][[0, 1, 3]]}, {"label": label}, epochs=60, verbose=0)
    return model, spec


def test_a_whole_sound_is_kept_as_bytes_beside_its_loudest_window(arrays: dict[str, np.ndarray]) -> None:
    assert arrays["frames"].tolist() == [10, 10, 60, 4]
    assert [len(levels) for levels in arrays["levels"]] == [160, 160, 960, 64]
    assert arrays["loudest"][[0, 1, 3]].tolist() == [0, 0, -3] and 0 <= arrays["loudest"][2] <= 50
    assert arrays["window"].shape == (4, FRAMES, 16) and arrays["summary"].shape == (4, TASK.summary_size)
    assert (arrays["window"][3, :3] == TASK.floor).all() and (arrays["window"][3, 7:] == TASK.floor).all()


def test_windows_in_training_are_other_ones_each_time(arrays: dict[str, np.ndarray]) -> None:
    begins = set()
    for step in range(30):
        seed = tf.constant([0, step], tf.int64)
        batch = TASK.batch({name: tf.constant(arrays[name]) for name in arrays if name != "window"}, seed)
        assert set(batch) == {"window", "label"} and batch["window"].shape == (4, FRAMES, 16)
        window = batch["window"].numpy()
        assert (window[0] == arrays["window"][0]).all()  # as long as a window: there is but one
        begins.add(int((window[3] > TASK.floor).any(axis=1).argmax()))
    assert begins == set(range(7))  # four frames anywhere in ten


def test_a_long_sound_is_answered_over_time_and_overall(
    examples: TransformedExamples, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, spec = trained(examples, arrays)
    features = {name: tf.constant(value) for name, value in arrays.items()}
    answered = {name: value.numpy() for name, value in TASK.predict(model, features, spec).items()}
    assert answered["windows"].tolist() == [1, 1, 11, 1] and answered["over_time"].shape == (4, 11, 2)
    assert answered["heard_from"][2] == pytest.approx(np.arange(11) * 0.5)
    assert answered["heard_from"][3, 0] == pytest.approx(-0.3)
    heard = [name.decode() for name in answered["heard"][2]]
    assert heard[:5] == ["low"] * 5 and heard[6:] == ["high"] * 5
    assert [name.decode() for name in answered["heard"][0]] == ["low"] + [""] * 10
    assert answered["probabilities"][2] == pytest.approx(answered["over_time"][2].mean(axis=0), abs=1e-5)
    assert [label.decode() for label in answered["label"][[0, 1, 3]]] == ["low", "high", "high"]
    monkeypatch.setattr(sounds, "CHUNK", 4)
    again = TASK.predict(model, features, spec)
    assert again["over_time"].numpy() == pytest.approx(answered["over_time"], abs=1e-5)
    assert TASK.predict(model, {name: value[:0] for name, value in features.items()}, spec)["label"].shape == (0,)


def prediction(windows: int) -> dict[str, Any]:
    high = np.linspace(0.1, 0.9, windows)
    return {
        "label": b"low", "labels": np.array([b"low", b"high"]), "probabilities": np.array([0.6, 0.4]),
        "over_time": np.pad(np.stack([1 - high, high], axis=1), ((0, 2), (0, 0))),
        "heard": np.array([b"low" if p < 0.5 else b"high" for p in high] + [b"", b""]),
        "heard_from": np.pad(0.5 * np.arange(windows), (0, 2)), "windows": np.int64(windows),
    }  # fmt: skip


def test_a_preview_plays_the_sound_and_draws_what_is_heard_over_time() -> None:
    example = {"sound": wav(300, 2500, 300), "label": b"low", "voice": b"Ann"}
    sound, curve, bars = (shown := TASK.preview(example, prediction(4))).parts
    assert isinstance(sound, Sound) and isinstance(curve, Curve) and isinstance(bars, Bars)
    assert curve.start == 0.5 and curve.step == 0.5 and set(curve.series) == {"low", "high"}
    assert shown.correct and shown.slice == {"label": "low", "voice": "Ann"}
    assert list(curve.series) == ["low", "high"] and curve.series["high"][-1] == pytest.approx(0.9)
    unknown = TASK.preview({"sound": wav(300)}, prediction(1))
    assert [type(part) for part in unknown.parts] == [Sound, Bars] and unknown.correct is None


def test_the_table_says_what_is_heard_when() -> None:
    answer = {**prediction(4), "probabilities": {"low": 0.6, "high": 0.4}, "over_time": [[0.1, 0.9]]}
    del answer["labels"]
    row = TASK.answer_row({}, answer)
    assert row["heard"] == "low 0.0–1.2 s, high 1.2–2.5 s" and "heard_from" not in row
    assert "heard" not in TASK.answer_row({}, {**answer, **prediction(1), "probabilities": {}, "over_time": [[]]})


def test_the_reference_tells_classes_apart_by_means_and_deviations(arrays: dict[str, np.ndarray]) -> None:
    spec = DataSpec({}, {"label": ["low", "high"]}, 4, 1, dict)
    assert TASK.reference(arrays, arrays, spec) == {TASK.reference_name: {"accuracy": 1.0}}
    assert TASK.reference({**arrays, "label": np.zeros(4, np.int64)}, arrays, spec) == {}
