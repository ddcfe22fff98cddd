"""The task's own parts: how small pictures are made, and that it begins as interpolation and answers at any size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import encode_row
from data.errors import BadValue
from data.media import degraded
from trainer.backend import tf
from trainer.features import images
from trainer.preview import BeforeAfter
from trainer.references import resampling
from trainer.task import DataSpec
from trainer.tasks.super_resolution import SuperResolution, SuperResolutionHParams

SPEC = DataSpec(features={}, vocabularies={}, num_train_examples=8, steps=10, train=dict)


@pytest.fixture(scope="module")
def task() -> SuperResolution:
    return SuperResolution(SuperResolutionHParams(filters=2, blocks=1, patches=3, patch_size=16))


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth, with edges and noise."""
    rng = np.random.default_rng(seed)
    pixels = np.add.outer(np.linspace(20, 120, height), np.linspace(0, 90, width))[..., None] * [1.0, 0.7, 0.4]
    pixels[height // 3 : height // 2, width // 4 :] += 60
    return (pixels + rng.normal(0, 6, (height, width, 3))).clip(0, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB"))


def test_the_graph_halves_as_pillow_does() -> None:
    pixels = picture(48, 64)
    halved = images.halve(tf.constant(pixels[None]))[0].numpy().astype(int)
    assert np.abs(halved - opened(degraded.halved(png(pixels), 0))).max() <= 1


@pytest.mark.parametrize(("size", "kept"), [((16, 16), (16, 16)), ((33, 40), (32, 40)), ((700, 20), (512, 20))])
def test_the_small_picture_is_half_of_the_middle(size: tuple[int, int], kept: tuple[int, int]) -> None:
    pixels = picture(*size)
    top = (size[0] - kept[0]) // 2
    expected = Pillow.fromarray(pixels[top : top + kept[0]]).resize((kept[1] // 2, kept[0] // 2), 3)
    row = encode_row(SuperResolution.columns, {"image": "a.png"}, lambda *_: png(pixels))
    assert np.array_equal(opened(row["small"]), np.asarray(expected))  # type: ignore[arg-type]
    assert (row["small_height"], row["small_width"]) == (kept[0] // 2, kept[1] // 2)


@pytest.mark.parametrize("size", [(1, 1), (15, 400)])
def test_too_small_a_picture_is_a_bad_record_that_says_so(size: tuple[int, int]) -> None:
    with pytest.raises(BadValue, match=f"{size[1]}x{size[0]} pixels; each side must be 16 to"):
        encode_row(SuperResolution.columns, {"image": "a.png"}, lambda *_: png(np.zeros((*size, 3), np.uint8)))


def test_too_large_a_picture_to_enlarge_is_told_the_limit() -> None:
    columns = {"small": SuperResolution.columns["small"]}
    with pytest.raises(BadValue, match="4097x1 pixels; each side must be 1 to 4096"):
        encode_row(columns, {"small": "a.png"}, lambda *_: png(np.zeros((1, 4097, 3), np.uint8)))


def test_training_has_patches_and_their_halves_and_inference_whole_pictures(task: SuperResolution) -> None:
    large = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16, 3), np.uint8)
    features = {
        "small": tf.constant([b"a", b"b"]),
        "truth": tf.constant([b"c", b"d"]),
        "patches": tf.constant(large),
        "small_patches": tf.constant(large[:, :, ::2, ::2]),
    }
    trained, held_out = task.batch(features, tf.constant([1, 2], tf.int64)), task.batch(features, None)
    assert set(trained) == {"pixels", "image"}
    assert trained["pixels"].shape == (2, 8, 8, 3) and trained["image"].shape == (2, 16, 16, 3)
    assert set(held_out) == {"pixels", "image", "small", "truth"}
    assert set(task.batch({"small": features["small"]}, None)) == {"small"}


def test_untrained_it_is_bicubic_interpolation_at_any_size(task: SuperResolution) -> None:
    model = task.build_model(SPEC)
    whole = [picture(20, 31), picture(64, 9)]
    answers = task.predict(model, {"small": tf.constant([png(one) for one in whole])}, SPEC)["enlarged_bytes"].numpy()
    for pixels, answer in zip(whole, answers, strict=True):
        enlarged = opened(answer).astype(int)
        assert enlarged.shape == (2 * pixels.shape[0], 2 * pixels.shape[1], 3)
        assert np.abs(enlarged - resampling.enlarged(pixels, 2, "bicubic")).max() <= 1


def test_what_it_adds_has_no_colour(task: SuperResolution) -> None:
    model = task.build_model(SPEC)
    model.set_weights([weight + 0.05 for weight in model.get_weights()])
    pixels = np.full((12, 12, 3), (90, 120, 60), np.uint8)
    answer = opened(
        task.predict(model, {"small": tf.constant([png(pixels)])}, SPEC)["enlarged_bytes"].numpy()[0]
    ).astype(int)
    change = answer - pixels[0, 0]
    assert np.abs(change).max() > 0 and np.array_equal(change[..., 0], change[..., 1])


def test_references_are_measured_on_what_the_model_is(task: SuperResolution) -> None:
    whole = picture(48, 64)
    evaluation = {"truth": np.array([png(whole)], object), "small": np.array([degraded.halved(png(whole), 0)], object)}
    scores = task.reference({}, evaluation, SPEC)
    assert set(scores) == {"bicubic", "Lanczos"}
    assert all(20 < one["psnr"] < 60 and 0.5 < one["ssim"] < 1 for one in scores.values())


def test_a_preview_has_before_after_and_the_truth_where_it_is_known(task: SuperResolution) -> None:
    whole = picture(48, 64)
    small = degraded.halved(png(whole), 0)
    answer = {"enlarged_bytes": png(resampling.enlarged(opened(small), 2, "Lanczos"))}
    known = task.preview({"image": png(whole), "small": small}, answer)
    divided, truth = known.parts
    assert isinstance(divided, BeforeAfter) and truth.caption == "as it was"
    assert [name.partition(",")[0] for name in divided.names] == ["bicubic", "enlarged"]
    assert divided.names[0].endswith(" dB") and known.title == "32 × 24 → 64 × 48"
    assert [part.caption for part in task.preview({"small": small}, answer).parts][-1] == "all of it"
