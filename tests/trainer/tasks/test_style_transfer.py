"""The task's own parts: pairs drawn anew in training, whole pictures answered at their own size, and references."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import encode_row
from data.errors import BadValue
from trainer.backend import tf
from trainer.preview import BeforeAfter
from trainer.task import DataSpec
from trainer.tasks.style_transfer import StyleTransfer, StyleTransferHParams

SPEC = DataSpec(
    features={},
    vocabularies={},
    num_train_examples=8,
    steps=10,
    train=dict,
    assets={"backbone": None, "judge": None},
)


@pytest.fixture(scope="module")
def task() -> StyleTransfer:
    return StyleTransfer(StyleTransferHParams(filters=2, patches=3, patch_size=16))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def noise(height: int, width: int, mean: float, seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).normal(mean, 15, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(content)))


@pytest.fixture
def features() -> dict[str, object]:
    """Six records, whose patches are of a shade of their own."""
    shades = 20 * np.arange(1, 7, dtype=np.uint8)[:, None, None, None, None]
    patches = np.broadcast_to(shades, (6, 3, 16, 16, 3))
    encoded = tf.constant([b"a"] * 6)
    return {
        "content": encoded,
        "style": encoded,
        "alpha": tf.ones([6]),
        "content_patches": tf.constant(patches),
        "style_patches": tf.constant(patches + 100),
    }


def test_training_meets_other_pairs_in_each_step(task: StyleTransfer, features: dict[str, object]) -> None:
    met = set()
    for step in range(4):
        drawn = task.batch(features, tf.constant([1, step], tf.int64))
        assert set(drawn) == {"content_pixels", "style_pixels"}
        contents, styles = (drawn[name].numpy()[:, 0, 0, 0].tolist() for name in ("content_pixels", "style_pixels"))
        assert contents == [20, 40, 60, 80, 100, 120] and sorted(styles) == [120, 140, 160, 180, 200, 220]
        met.add(tuple(styles))
    assert len(met) == 4


def test_outside_training_pairs_stay_and_pictures_are_whole(task: StyleTransfer, features: dict[str, object]) -> None:
    held_out = task.batch(features, None)
    assert set(held_out) == {"content", "style", "alpha", "content_pixels", "style_pixels"}
    assert held_out["style_pixels"].numpy()[:, 0, 0, 0].tolist() == [120, 140, 160, 180, 200, 220]


def test_the_answer_is_as_large_as_the_content_whatever_the_sizes(task: StyleTransfer) -> None:
    model = task.build_model(SPEC)
    contents, styles = [noise(37, 90, 90), noise(9, 5, 90)], [noise(500, 40, 170), noise(20, 20, 170)]
    given = {
        "content": tf.constant([png(one) for one in contents]),
        "style": tf.constant([png(one) for one in styles]),
        "alpha": tf.constant([1.0, 0.0]),
    }
    styled, unchanged = (opened(one) for one in task.predict(model, given, SPEC)["stylised_bytes"].numpy())
    assert styled.shape == contents[0].shape and unchanged.shape == contents[1].shape
    assert abs(styled.mean() - 170) < 5, "untrained it takes over the colours"
    assert np.abs(unchanged.astype(int) - contents[1]).max() <= 1


def test_references_are_scored_and_the_content_unchanged_scores_one(task: StyleTransfer) -> None:
    import dataclasses

    spec = dataclasses.replace(SPEC, judge=task.judge({}, SPEC))
    evaluation = {
        "content": np.array([png(noise(32, 40, 80, 1)), png(noise(32, 32, 120, 2))], object),
        "style": np.array([png(noise(40, 32, 180, 3)), png(noise(32, 48, 60, 4))], object),
    }
    scores = task.reference({}, evaluation, spec)
    assert scores["content unchanged"] == {
        "trade_off": 1.0,
        "content_loss": 0.0,
        "style_loss": scores["content unchanged"]["style_loss"],
    }
    moved = scores["colour statistics (Reinhard)"]
    assert moved["style_loss"] < scores["content unchanged"]["style_loss"]
    assert set(scores["blended half and half"]) == {"trade_off", "content_loss", "style_loss"}


@pytest.mark.parametrize(("alpha", "words"), [("1.5", "1.5 is out of bounds"), ("much", "expected a finite number")])
def test_alpha_is_a_share(alpha: str, words: str) -> None:
    pictures = {"content": "a.png", "style": "b.png"}
    with pytest.raises(BadValue, match=words):
        encode_row(StyleTransfer.columns, {**pictures, "alpha": alpha}, lambda *_: png(noise(20, 20, 90)))


def test_a_preview_shows_content_style_and_answer(task: StyleTransfer) -> None:
    one = png(noise(20, 20, 90))
    example = {"content": one, "style": one, "style_name": b"hokusai_great-wave"}
    shown = task.preview(example, {"stylised_bytes": one})
    divided, style = shown.parts
    assert isinstance(divided, BeforeAfter) and divided.names == ("content", "stylised")
    assert style.caption == "hokusai_great-wave"
    assert shown.title == "in the style of hokusai_great-wave"
    del example["style_name"]
    assert task.preview(example, {"stylised_bytes": one}).title == "stylised"
