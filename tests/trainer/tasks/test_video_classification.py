"""The task's own parts: what training sees of a clip, what a person sees of it, and which clips are told as bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.columns import samples
from data.folders.folder import DataFolder
from data.media.films import write_film
from trainer.backend import tf
from trainer.preview import Animation, Bars, Picture
from trainer.task import DataSpec
from trainer.tasks.video_classification import VideoClassification, VideoClassificationHParams

CLASSES = ["left", "right"]
SEED = tf.constant([3, 4], tf.int64)


def task(**hparams: object) -> VideoClassification:
    small = {"filters": 2, "units": 4, "image_size": 32, "frames": 8, "light": 0.0}
    return VideoClassification(VideoClassificationHParams(**{**small, **hparams}))  # type: ignore[arg-type]


def spec(channels: int = 3) -> DataSpec:
    features = {"video": tf.TensorSpec((8, 32, 32, channels), tf.uint8)}
    return DataSpec(features, {"label": CLASSES}, num_train_examples=8, steps=10, train=dict)


def clips(count: int = 16) -> np.ndarray:
    """Frame i of 16 is of the shade 10 * i on the left, and black on the right; rows grow darker downwards."""
    made = np.zeros((count, 16, 36, 36, 3), np.uint8)
    made[:, :, :, :18] = 10 * np.arange(1, 17, dtype=np.uint8)[:, None, None, None]
    made[:, :, :, :, 2] += np.arange(36, dtype=np.uint8)[:, None]
    return made


def test_training_sees_other_frames_and_places_each_time_and_all_else_the_middle() -> None:
    features = {"video": tf.constant(clips()), "label": tf.zeros([16], tf.int64)}
    seen = task().batch(features, SEED)["video"].numpy()
    assert seen.shape == (16, 8, 32, 32, 3)
    frames = seen[:, :, 0, 0, 0] // 10 - 1
    assert (frames // 2 == np.arange(8)).all(), "one of each stretch, in their order"
    assert len({tuple(one) for one in frames}) > 8
    tops = seen[..., 0, 0, 2].astype(int) - seen[..., 0, 0, 0]
    assert len(set(tops[:, 0])) > 2 and (tops == tops[:, :1]).all(), "all frames of a clip are cut alike"
    fixed = task().batch(features, None)["video"].numpy()
    assert (fixed == clips()[:, 1::2, 2:34, 2:34]).all()


def test_no_clip_is_mirrored_unless_it_may_be_and_light_is_the_same_in_all_frames() -> None:
    features = {"video": tf.constant(clips(32)), "label": tf.zeros([32], tf.int64)}
    assert not task().batch(features, SEED)["video"].numpy()[..., -1, 0].any()
    mirrored = task(mirror=True).batch(features, SEED)["video"].numpy()[..., -1, 0].any(axis=2)
    assert (mirrored == mirrored[:, :1]).all() and 4 < mirrored[:, 0].sum() < 28
    dark = {**features, "video": tf.fill([32, 16, 36, 36, 3], tf.constant(100, tf.uint8))}
    lit = task(light=0.5).batch(dark, SEED)["video"].numpy()
    assert (lit == lit[:, :1, :1, :1]).all() and len(set(lit[:, 0, 0, 0, 0])) > 8


def test_an_answer_shows_the_frames_that_were_seen() -> None:
    made = task()
    seen = tf.constant(clips(2)[:, 1::2, 2:34, 2:34])
    answer = made.predict(made.build_model(spec()), {"video": seen}, spec())
    assert answer["probabilities"].numpy().sum(axis=1) == pytest.approx([1, 1])
    assert answer["frames"].shape == (2, 64, 192, 3)  # six in a row, and two
    row = {name: value.numpy()[1] for name, value in answer.items()}
    shown = made.preview({"video": b"", "video_seconds": 2.4, "label": b"left"}, row)
    moving, bars, strip = shown.parts
    assert isinstance(moving, Animation) and isinstance(bars, Bars) and isinstance(strip, Picture)
    assert (moving.frames == seen[1].numpy()).all() and moving.seconds == pytest.approx(2.4)
    assert shown.title.startswith("left → ") and strip.caption == "8 frames, in reading order"
    assert made.preview({"video": b"", "video_seconds": 2.4}, row).correct is None


def test_the_reference_sees_the_same_frames() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(16) % 2
    made = [samples.frames(samples.subject(hour, which, rng)) for hour, which in enumerate(label)]
    grey = np.stack([np.stack([np.asarray(Image.fromarray(f).resize((32, 32))) for f in film]) for film in made])
    arrays = {"video": grey, "label": label}
    [(name, scores)] = task().reference(arrays, arrays, spec()).items()
    assert name == "optical flow + logistic regression" and scores["accuracy"] == 1.0
    assert task().reference({"video": grey, "label": 0 * label}, arrays, spec()) == {}


def test_clips_that_cannot_be_learnt_from_are_told_with_their_reason(tmp_path: Path) -> None:
    for label in CLASSES:
        (tmp_path / label).mkdir()
    good = [np.full((48, 64, 3), 20 * n, np.uint8) for n in range(10)]
    write_film(tmp_path / "left" / "v_left_g01_c01.mp4", good, 10)
    write_film(tmp_path / "right" / "long.mp4", good, 1, times=[4_800.0 * n for n in range(10)])
    content = (tmp_path / "left" / "v_left_g01_c01.mp4").read_bytes()
    (tmp_path / "left" / "cut.mp4").write_bytes(content[: len(content) // 2])
    (tmp_path / "left" / "empty.avi").write_bytes(b"")
    (tmp_path / "left" / "notes.txt").write_bytes(b"x")
    (tmp_path / "right" / "page.webm").write_bytes(b"<html>404</html>" * 9)
    (tmp_path / "right" / "song.mp4").write_bytes(_sound(tmp_path / "a.m4a"))
    (tmp_path / "a.m4a").unlink()
    records = list(DataFolder(tmp_path, VideoClassification.columns, split_by="source").records("all"))
    told = {Path(record.file).name: record.problem.reason for record in records if record.problem}
    assert told.keys() == {"long.mp4", "cut.mp4", "empty.avi", "notes.txt", "page.webm", "song.mp4"}
    assert "must be 0 to 43200" in told["long.mp4"]
    assert "cannot be decoded" in told["cut.mp4"] and "cannot be decoded" in told["page.webm"]
    assert told["empty.avi"] == "the file is empty"
    assert told["notes.txt"].startswith("the name does not end in .mp4, ")
    assert told["song.mp4"] == "the file holds no pictures"
    [record] = [record for record in records if not record.problem]
    features = record.features or {}
    assert features["source"] == b"v_left_g01" and features["video_frames"] == 10 and features["label"] == b"left"


def _sound(path: Path) -> bytes:
    import av

    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path.read_bytes()
