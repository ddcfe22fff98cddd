"""What is made worse in the graph is as bad as what is made worse in files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from data.media import degraded
from trainer.backend import tf
from trainer.features import degradations, impressions

SIZE = 48
GREY = tf.constant([False])


def picture(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = np.add.outer(np.linspace(30, 160, SIZE), np.linspace(0, 60, SIZE))[..., None] * [1.0, 0.8, 0.5]
    pixels[10:30, 20:] += 30
    pixels += np.kron(rng.normal(0, 25, (6, 6, 1)), np.ones((8, 8, 1)))  # by which one is told from another
    return (pixels + rng.normal(0, 8, pixels.shape)).clip(0, 255).astype(np.uint8)


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(content)).convert("RGB")).astype(float)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


PAIRS = [
    (degraded.noisy, degradations.noisy, "NOISE", (20.0, 20.0)),
    (degraded.blurred, degradations.blurred, "BLUR", (1.3, 1.3)),
    (degraded.darkened, degradations.darkened, "GAIN", (0.5, 0.5)),
    (degraded.compressed, degradations.compressed, "QUALITY", (20, 20)),
]


@pytest.mark.parametrize(("of_file", "of_tensor", "bounds", "fixed"), PAIRS)
def test_files_and_tensors_are_degraded_alike(of_file, of_tensor, bounds, fixed, monkeypatch) -> None:
    for module in (degraded, degradations):
        monkeypatch.setattr(module, bounds, fixed)
        monkeypatch.setattr(module, "GAMMA", (2.0, 2.0))
    clean = picture()
    file = opened(of_file(png(clean), 5))
    pixels, _ = of_tensor(tf.constant(clean[None], tf.float32), GREY, tf.constant([3, 4], tf.int64))
    errors = [np.sqrt(np.mean((made - clean) ** 2)) for made in (file, np.clip(pixels[0].numpy(), 0, 255))]
    assert errors[0] > 2 and errors[1] == pytest.approx(errors[0], rel=0.08)
    if of_file in (degraded.blurred, degraded.compressed):
        assert np.abs(file - pixels[0].numpy()).mean() < 2


@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_each_way_has_its_share_of_a_batch_and_nothing_changes_place(count: int) -> None:
    clean = tf.constant(np.stack([picture(n) for n in range(count)]))
    sampled = tf.stack([impressions.sample(one) for one in clean])
    for step in range(4):
        seed = tf.constant([1, step], tf.int64)
        made, made_samples = degradations.degrade(clean, sampled, tf.zeros([count], tf.bool), seed)
        assert made.shape == clean.shape and made_samples.shape == sampled.shape
        dark = np.mean(made, axis=(1, 2, 3)) < 0.7 * np.mean(clean, axis=(1, 2, 3))
        assert abs(dark.sum() - count / 5) < 1
        good = np.all(np.equal(made, clean), axis=(1, 2, 3))
        assert abs(good.sum() - count / 5) < 1
        for one, of_it in zip(made, made_samples, strict=True):
            found, told = (impressions.impressions(pixels[None], one[None])[0, :27] for pixels in (one, of_it))
            assert np.abs(found - told).max() < 0.1
        likeness = [[np.corrcoef(a.ravel(), b.ravel())[0, 1] for b in clean.numpy()] for a in made.numpy()]
        assert np.array_equal(np.argmax(likeness, axis=1)[~dark], np.arange(count)[~dark])


def test_noise_of_grey_pictures_is_grey() -> None:
    pixels, _ = degradations.noisy(tf.zeros([1, 8, 8, 3]), tf.constant([True]), tf.constant([0, 1], tf.int64))
    assert np.ptp(pixels.numpy(), axis=-1).max() == 0 and np.ptp(pixels) > 0
    grey = Pillow.open(io.BytesIO(degraded.noisy(png(np.full((16, 16), 99, np.uint8)), 1)))
    assert grey.mode == "L"
