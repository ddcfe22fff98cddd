"""The task's own parts: what is made worse and how, pairs that are given, and that it answers at any size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import encode_row
from data.folders.check import check
from data.folders.folder import DataFolder
from trainer.backend import tf
from trainer.features import impressions, strips
from trainer.preview import BeforeAfter
from trainer.task import DataSpec
from trainer.tasks.image_enhancement import ImageEnhancement, ImageEnhancementHParams

SPEC = DataSpec(features={}, vocabularies={}, num_train_examples=8, steps=10, train=dict)
COLUMNS = ImageEnhancement.columns


@pytest.fixture(scope="module")
def task() -> ImageEnhancement:
    return ImageEnhancement(ImageEnhancementHParams(filters=2, blocks=1))


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"))


def test_the_content_decides_what_is_wrong_always_the_same() -> None:
    rows = [encode_row(COLUMNS, {"image": "a.png"}, lambda *_, n=n: png(picture(20, 30, n))) for n in range(40)]
    again = encode_row(COLUMNS, {"image": "a.png"}, lambda *_: png(picture(20, 30, 0)))
    assert rows[0] == again
    assert {row["degraded_by"] for row in rows} == {b"noise", b"blur", b"low light", b"JPEG"}
    assert all(row["degraded"] != row["image"] for row in rows)


def test_pairs_are_taken_as_they_are_and_what_does_not_fit_is_named(tmp_path: Path) -> None:
    for split in ("train", "eval"):
        for kind, names in (("input", "abcd"), ("target", "abce")):
            (tmp_path / split / kind).mkdir(parents=True)
            for name in names:
                size = (20, 24) if (kind, name) == ("input", "c") else (20, 20)
                (tmp_path / split / kind / f"{name}.png").write_bytes(png(picture(*size, ord(name))))
    folder = DataFolder(tmp_path, COLUMNS, refuse=ImageEnhancement.refuse)
    records = list(folder.records("train"))
    good = [record.features for record in records if record.features]
    assert [one["degraded_by"] for one in good] == [b"given"] * 2
    assert all(np.array_equal(opened(one["degraded"]), opened(one["image"])) for one in good)  # type: ignore[arg-type]
    problems = {record.file: record.problem.reason for record in records if record.problem}
    assert problems == {
        "train/input/c.png": "a pair of two sizes: the input has 24x20 pixels, its target 20x20",
        "train/input/d.png": "no target of this name in target/",
        "train/target/e.png": "no picture of this name in input/",
    }
    assert "pictures in input/ and their targets in target/" in str(check(tmp_path, COLUMNS).layout)


def test_of_given_pairs_the_given_is_learnt_and_of_others_what_is_made(task: ImageEnhancement) -> None:
    clean = np.repeat(picture(8, 8)[None, None], 2, axis=0)
    features = {
        "degraded": tf.constant([b"a", b"b"]),
        "truth": tf.constant([b"c", b"d"]),
        "patches": tf.constant(clean),
        "degraded_patches": tf.constant(255 - clean),
        "is_given": tf.constant([1, 0], tf.int64),
        "is_grey": tf.constant([0, 0], tf.int64),
        "sample": tf.zeros([2, impressions.SIDE, impressions.SIDE, 3], tf.uint8),
        "degraded_sample": tf.fill([2, impressions.SIDE, impressions.SIDE, 3], tf.constant(255, tf.uint8)),
    }
    trained, held_out = task.batch(features, tf.constant([1, 2], tf.int64)), task.batch(features, None)
    assert set(trained) == {"pixels", "impression", "image"} and set(held_out) == {*trained, "degraded", "truth"}
    assert np.array_equal(held_out["pixels"][0], 255 - clean[0, 0])
    assert np.array_equal(trained["pixels"][0], 255 - trained["image"][0])
    assert not np.array_equal(held_out["pixels"][1], 255 - clean[1, 0])
    assert trained["impression"].numpy()[0, :27].tolist() == [1] * 27
    assert trained["impression"].numpy()[1, :3].tolist() == [0] * 3
    assert set(task.batch({"degraded": features["degraded"]}, None)) == {"degraded"}


def test_untrained_it_changes_nothing_at_any_size(task: ImageEnhancement) -> None:
    model = task.build_model(SPEC)
    whole = [picture(20, 31), picture(1, 1), picture(33, 9)]
    answers = task.predict(model, {"degraded": tf.constant([png(one) for one in whole])}, SPEC)["mended_bytes"]
    for pixels, answer in zip(whole, answers.numpy(), strict=True):
        assert np.array_equal(opened(answer), pixels)


def test_a_large_picture_has_no_seams(task: ImageEnhancement, monkeypatch: pytest.MonkeyPatch) -> None:
    model = task.build_model(SPEC)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    features = {"degraded": tf.constant([png(picture(61, 20))])}
    whole = opened(task.predict(model, features, SPEC)["mended_bytes"].numpy()[0]).astype(int)
    monkeypatch.setattr(strips, "STRIP_PIXELS", 20 * 7)
    cut = opened(task.predict(model, features, SPEC)["mended_bytes"].numpy()[0])
    assert np.ptp(whole) > 50 and np.abs(cut - whole).max() <= 1


def test_a_preview_has_before_after_and_the_truth_where_it_is_known(task: ImageEnhancement) -> None:
    row = encode_row(COLUMNS, {"image": "a.png"}, lambda *_: png(picture(20, 30)))
    known = task.preview(row, {"mended_bytes": png(picture(20, 30))})
    divided, truth = known.parts
    assert isinstance(divided, BeforeAfter) and divided.names[1] == "after, 100.00 dB" and truth.caption == "as it was"
    assert known.title == f"{row['degraded_by'].decode()}: 30 × 20"  # type: ignore[union-attr]
    unknown = task.preview({"degraded": row["degraded"]}, {"mended_bytes": row["image"]})
    divided, whole = unknown.parts
    assert isinstance(divided, BeforeAfter) and divided.names == ("before", "after") and whole.caption == "all of it"
