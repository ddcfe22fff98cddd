"""Moments are taken over, the decoder begins at the colours' statistics, and parts of a picture are as the whole."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import images, strips
from trainer.networks import style_transfer
from trainer.networks.style_transfer import REACH, STRIDE, StyleTransfer


def picture(height: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    waves = np.sin(np.add.outer(np.arange(height) / 5, np.arange(width) / 9))[..., None] * rng.uniform(20, 60, 3)
    return (waves + rng.uniform(90, 150, 3) + rng.normal(0, 6, (height, width, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model() -> StyleTransfer:
    tf.keras.utils.set_random_seed(0)
    return StyleTransfer(None, filters=4, style_weight=10.0, smoothness=0.1)


@pytest.fixture(scope="module")
def learnt(model: StyleTransfer) -> StyleTransfer:
    """One whose last convolution is not zero."""
    rng = np.random.default_rng(5)
    other = StyleTransfer(None, filters=4, style_weight=10.0, smoothness=0.1)
    other.set_weights(model.get_weights())
    kernel = other.decoder.trainable_variables[-2]
    kernel.assign(rng.normal(0, 0.1, kernel.shape))
    return other


def test_adain_gives_the_moments_of_the_style() -> None:
    rng = np.random.default_rng(0)
    content, style = rng.normal(3, 2, (2, 9, 7, 5)).astype("f4"), rng.normal(-1, 0.5, (2, 4, 6, 5)).astype("f4")
    own, wanted = style_transfer.moments(content), style_transfer.moments(style)
    for alpha, expected in ((1.0, wanted), (0.0, own)):
        for got, want in zip(
            style_transfer.moments(style_transfer.adain(content, own, wanted, alpha)), expected, strict=True
        ):
            np.testing.assert_allclose(got, want, rtol=1e-2, atol=1e-3)
    halfway = style_transfer.adain(content, own, wanted, 0.5)
    np.testing.assert_allclose(halfway, (content + style_transfer.adain(content, own, wanted, 1.0)) / 2, atol=1e-4)


def test_before_it_learns_it_takes_over_the_colours(model: StyleTransfer) -> None:
    content, style = picture(32, 40, 1), picture(48, 24, 2)
    answer = model.stylise(content[None], model.moments_of(content[None]), model.moments_of(style[None]), 1.0)[0]
    assert answer.shape == content.shape
    np.testing.assert_allclose(answer.numpy().mean((0, 1)), style.mean((0, 1)) / 255, atol=0.02)
    unchanged = model.stylise(content[None], model.moments_of(content[None]), model.moments_of(style[None]), 0.0)[0]
    np.testing.assert_allclose(unchanged, content / 255, atol=1e-3)


def test_strips_of_a_picture_are_what_the_whole_is(learnt: StyleTransfer, monkeypatch: pytest.MonkeyPatch) -> None:
    content, style = picture(300, 24, 3), picture(40, 40, 4)
    whole = images.filled_up(tf.constant(content), STRIDE)
    moments = model_moments(learnt, whole), model_moments(learnt, tf.constant(style))

    def answer(strip: object) -> object:
        return learnt.stylise(strip, *moments, 1.0)

    at_once = strips.in_strips(whole, answer, REACH, step=STRIDE).numpy()
    monkeypatch.setattr(strips, "STRIP_PIXELS", 24 * 40)
    in_parts = strips.in_strips(whole, answer, REACH, step=STRIDE).numpy()
    assert at_once.std() > 5
    assert np.abs(at_once.astype(int) - in_parts).max() <= 1


def model_moments(model: StyleTransfer, pixels: object) -> dict:
    return model.moments_of(pixels[None])


def test_it_learns_and_only_the_decoder_does(model: StyleTransfer) -> None:
    learning = StyleTransfer(None, filters=4, style_weight=10.0, smoothness=0.0)
    learning.compile(tf.keras.optimizers.Adam(5e-3))
    contents = np.stack([picture(32, 32, seed) for seed in range(4)])
    styles = np.stack([picture(32, 32, 10 + seed)[:, ::-1] // 2 for seed in range(4)])
    frozen = [weight.numpy() for weight in learning.encoder.weights]
    pictures = tf.data.Dataset.from_tensors({"content_pixels": contents, "style_pixels": styles}).repeat()
    history = learning.fit(pictures, steps_per_epoch=10, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0] and {"content", "style"} <= set(history)
    assert all(np.array_equal(before, after) for before, after in zip(frozen, learning.encoder.weights, strict=True))
    assert {id(weight) for weight in learning.trainable_variables} == {
        id(weight) for weight in learning.decoder.trainable_variables
    }


def test_a_judge_weighs_its_layers_alike() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.normal(0, 1, (1, 8, 8, channels)).astype("f4") for channels in (4, 16)]
    joined = style_transfer.JoinedMoments()(layers).numpy()
    own = [np.mean(np.square(np.concatenate(style_transfer.moments(x), -1))) for x in layers]
    assert joined.shape == (1, 40) and np.mean(joined**2) == pytest.approx(np.mean(own), rel=1e-5)
