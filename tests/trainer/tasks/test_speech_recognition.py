"""The task's own parts: what is fed to the network, the reference, what people see."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from data.errors import WrongUse
from trainer.backend import tf
from trainer.features import audio
from trainer.packing import pack, unpack_example
from trainer.preview import Sound, Words
from trainer.task import DataSpec
from trainer.tasks.speech_recognition import HOP_SECONDS, SpeechRecognition, SpeechRecognitionHParams

VOCABULARY = ["o", "n", "e", "▁", "t", "w"]


def task_with(**hparams: Any) -> SpeechRecognition:
    return SpeechRecognition(SpeechRecognitionHParams(**hparams))


def spec(longest: int = 40) -> DataSpec:
    return DataSpec(
        features={"log_mel": tf.TensorSpec([longest, 40, 1], tf.uint8), "frames": tf.TensorSpec([], tf.int64)},
        vocabularies={"characters": VOCABULARY, "words": ["one", "two"]},
        num_train_examples=4,
        steps=100,
        train=dict,
    )


def wav(seconds: float, rate: int) -> bytes:
    file = io.BytesIO()
    tone = 0.3 * np.sin(2 * np.pi * 700 * np.arange(round(seconds * rate)) / rate)
    soundfile.write(file, tone, rate, "PCM_16", format="WAV")
    return file.getvalue()


def transformed(task: SpeechRecognition, rows: list[dict[str, Any]], folder: Path) -> Any:
    """The Transform output that `rows` define, and the batch of features that it makes of them."""
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    columns = {
        "sound": tf.io.FixedLenFeature([], tf.string),
        "text": tf.io.FixedLenFeature([], tf.string),
        "voice": tf.io.VarLenFeature(tf.string),
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    with tft_beam.Context(temp_dir=str(folder / "temp")):
        function = (rows, metadata) | tft_beam.AnalyzeDataset(lambda inputs: pack(task.preprocess(dict(inputs))))
        function | tft_beam.WriteTransformFn(str(folder / "graph"))
    output = tft.TFTransformOutput(str(folder / "graph"))
    raw = {name: tf.constant([row[name] for row in rows]) for name in ("sound", "text")}
    raw["voice"] = tf.ragged.constant([row["voice"] for row in rows], dtype=tf.string).to_sparse()
    packed = output.transform_features_layer()(raw)
    examples = [unpack_example({name: value[i] for name, value in packed.items()}) for i in range(len(rows))]
    return output, {name: np.stack([example[name] for example in examples]) for name in examples[0]}


def test_sounds_of_any_rate_become_the_same_frames_and_texts_of_any_script_their_characters(tmp_path: Path) -> None:
    rows = [
        {"sound": wav(0.5, 8000), "text": "One  Two", "voice": ["a"]},
        {"sound": wav(0.5, 44100), "text": "ÜBER", "voice": []},
        {"sound": wav(1.0, 16000), "text": "zéro 一", "voice": ["b"]},
    ]
    output, features = transformed(task_with(), rows, tmp_path)
    frames = features["frames"]
    assert frames.tolist() == [pytest.approx(seconds / HOP_SECONDS, abs=1) for seconds in (0.5, 0.5, 1.0)]
    mels = features["log_mel"]
    assert mels.shape == (3, frames.max(), 40, 1) and mels.dtype == np.uint8
    same = slice(4, frames[0] - 4)  # but for the edges
    assert np.abs(mels[0, same].astype(int) - mels[1, same]).max() < 12
    assert (mels[0, frames[0] :] == audio.PADDING).all()
    characters = [word.decode() for word in output.vocabulary_by_name("characters")]
    texts = ["".join(characters[i] for i in row if i >= 0) for row in features["text"]]
    assert texts == ["one▁two", "über", "zéro▁一"]
    assert features["characters"].tolist() == [7, 4, 6]
    words = {word.decode() for word in output.vocabulary_by_name("words")}
    assert words == {"one", "two", "über", "zéro", "一"}


def test_longer_sounds_than_asked_for_are_cut(tmp_path: Path) -> None:
    rows = [{"sound": wav(seconds, 8000), "text": "one", "voice": []} for seconds in (0.3, 1.0)]
    _, features = transformed(task_with(max_seconds=0.6), rows, tmp_path)
    assert features["frames"].tolist() == [20, 40]
    assert features["log_mel"].shape[1] == 40


@pytest.mark.parametrize("beam_width", [1, 4])
def test_predictions_say_how_much_was_heard(beam_width: int) -> None:
    task = task_with(units=8, filters=2, beam_width=beam_width)
    model = task.build_model(spec())
    features = {
        "log_mel": tf.fill([2, 40, 40, 1], tf.constant(128, tf.uint8)),
        "frames": tf.constant([30, 12], tf.int64),
    }
    prediction = task.predict(model, features, spec())
    assert prediction["transcript"].shape == (2,) and prediction["transcript"].dtype == tf.string
    assert prediction["seconds"].numpy() == pytest.approx([30 * HOP_SECONDS, 12 * HOP_SECONDS])
    assert ((prediction["confidence"].numpy() >= 0) & (prediction["confidence"].numpy() <= 1)).all()


def test_augmentation_changes_the_sound_alone() -> None:
    features = {
        "log_mel": tf.fill([3, 32, 40, 1], tf.constant(140, tf.uint8)),
        "frames": tf.constant([32, 20, 9], tf.int64),
        "text": tf.constant([[1, 2], [0, -1], [3, 3]], tf.int64),
    }
    changed = task_with().batch(features, tf.constant([0, 7], tf.int64))
    assert changed["log_mel"].dtype == tf.uint8 and changed["log_mel"].shape == (3, 32, 40, 1)
    assert not np.array_equal(changed["log_mel"], features["log_mel"])
    assert changed["text"] is features["text"] and changed["frames"] is features["frames"]


def test_the_reference_says_what_was_said_in_the_nearest_sound() -> None:
    rng = np.random.default_rng(0)
    words = rng.integers(0, 256, (2, 40, 40, 1), dtype=np.uint8)
    train = {
        "log_mel": words,
        "frames": np.array([40, 40]),
        "text": np.array([[0, 1, 2, -1, -1], [4, 5, 0, 3, 0]]),  # "one", "two o"
    }
    evaluation = train | {"text": np.array([[0, 1, 2, -1, -1], [0, 1, 2, -1, -1]])}
    [scores] = task_with().reference(train, evaluation, spec()).values()
    assert scores["wer"] == pytest.approx((0 + 2) / 2)  # "two o" for "one": one word replaced, one added


def test_previews_play_the_sound_and_show_both_texts() -> None:
    prediction = {"transcript": b"one two", "confidence": 0.5, "seconds": 0.45}
    example = {"sound": wav(0.45, 8000), "text": b"One two", "voice": b"human"}
    shown = task_with().preview(example, prediction)
    sound, *words = shown.parts
    assert isinstance(sound, Sound) and sound.rate == 8000
    assert [part.text for part in words if isinstance(part, Words)] == ["one two", "One two"]
    assert shown.correct and shown.slice == {"voice": "human"}


def test_a_preview_of_an_unknown_sound_says_if_it_was_cut() -> None:
    prediction = {"transcript": "one", "confidence": 0.5, "seconds": 0.3}
    shown = task_with().preview({"sound": wav(0.45, 22050)}, prediction)
    assert shown.correct is None and shown.slice == {}
    assert "first 0.3 seconds" in shown.parts[1].caption


def test_what_xla_cannot_compile_is_refused() -> None:
    with pytest.raises(WrongUse, match="XLA"):
        task_with(xla=True).build_model(spec())


def test_the_report_draws_likeness_and_confidence_of_transcripts() -> None:
    examples = [{"text": b"Turn left"}, {"text": b"stop"}]
    predictions = [
        {"transcript": b"turn left", "confidence": np.float32(0.9)},
        {"transcript": b"go", "confidence": np.float32(0.6)},
    ]
    likeness, confidence = task_with().plots(examples, predictions)
    assert likeness["title"] == "Likeness of texts" and sum(likeness["series"]["texts"]) == 2
    assert sum(confidence["series"]["right"]) == sum(confidence["series"]["wrong"]) == 1  # capitals do not count


@pytest.mark.parametrize(
    ("text", "seconds", "fits"),
    [
        ("turn left", 1.0, True),
        ("turn left", 0.2, False),
        ("aaaa", 0.2, True),
        ("aaaa", 0.17, False),
        ("a  b", 0.09, True),
    ],
)
def test_a_transcript_that_cannot_be_said_in_its_sound_is_a_bad_record(text: str, seconds: float, fits: bool) -> None:
    reason = SpeechRecognition.refuse({"text": text.encode(), "sound_seconds": seconds})
    assert (reason == "") is fits
    assert fits or "characters cannot be said in" in reason
