"""Speech out of characters: the voice before training, the network's answers, what padding and rate do to them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.speaker import Speaker, places, speaker_of, whole_frames
from trainer.networks.synthesiser import PLACE_FEATURES, Synthesiser, spread_out

BANDS, SYMBOLS = 24, 3


def recordings() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decibels, frames and texts of twelve recordings: each symbol has a spectrum and a length of its own."""
    rng = np.random.default_rng(6)
    spectra = 20 * rng.normal(size=(SYMBOLS + 1, BANDS))
    lengths = np.array([4, 7, 5, 3])
    texts = np.full((12, 4), -1)
    heard = []
    for row in range(12):
        text = rng.permutation(SYMBOLS)[: 2 + row % 2]
        texts[row, : len(text)] = text
        spoken = np.array([SYMBOLS, *text, SYMBOLS])
        heard.append(np.repeat(spectra[spoken], lengths[spoken], 0))
    frames = np.array([len(one) for one in heard])
    decibels = np.zeros((12, frames.max(), BANDS), np.float32)
    for row, one in enumerate(heard):
        decibels[row, : len(one)] = one + rng.normal(size=one.shape)
    return decibels, frames, texts


@pytest.fixture(scope="module")
def voice() -> Speaker:
    return speaker_of(*recordings(), SYMBOLS)


@pytest.fixture(scope="module")
def model(voice: Speaker) -> Synthesiser:
    made = Synthesiser(voice, width=8, layers=1, size=3, dropout=0.0, floor=-90.0)
    made({"text": tf.zeros([1, 2], tf.int64)})
    rng = np.random.default_rng(7)
    for weight in made.trainable_weights:  # as after training, where no bias is 0
        weight.assign_add(0.2 * rng.normal(size=weight.shape))
    return made


def test_a_voice_says_each_character_by_its_mean_spectrum_for_its_usual_time(voice: Speaker) -> None:
    decibels, frames, texts = recordings()
    said, lasting = voice.say(texts[0][texts[0] >= 0])
    assert len(said) == frames[0] == lasting.sum()
    assert np.abs(said - decibels[0, : frames[0]]).mean() < 1.5
    np.testing.assert_array_equal(voice.aligned(texts[0][texts[0] >= 0], decibels[0, : frames[0]]), lasting)


def test_silence_lies_around_each_text() -> None:
    symbols, count = places(tf.constant([[1, 0, 2], [2, -1, -1]], tf.int64), 3)
    assert symbols.numpy().tolist() == [[3, 1, 0, 2, 3], [3, 2, 3, -1, -1]] and count.numpy().tolist() == [5, 3]


def test_rounded_durations_add_up() -> None:
    logs, there = tf.math.log(tf.constant([[1.4, 1.4, 1.4, 1.4, 9.0]])), tf.constant([[True] * 4 + [False]])
    found = whole_frames(logs, there, 1.0).numpy()
    assert found.sum() == 6 and found[0, 4] == 0 and found[0, :4].min() >= 1


def test_a_frame_knows_its_character_and_where_in_it_it_is() -> None:
    hidden = tf.constant([[[5.0], [6.0], [7.0]], [[1.0], [2.0], [0.0]]])
    found, frames = spread_out(hidden, tf.constant([[1, 0, 3], [2, 1, 0]]))
    assert found.shape == (2, 4, 1 + PLACE_FEATURES) and frames.numpy().tolist() == [4, 3]
    assert found[0, :, 0].numpy().tolist() == [5, 7, 7, 7] and found[1, :3, 0].numpy().tolist() == [1, 1, 2]
    np.testing.assert_allclose(found[0, 1:, 1], [1 / 6, 0.5, 5 / 6], rtol=1e-5)


def test_a_short_text_beside_a_very_long_one_stays_finite() -> None:
    found, _ = spread_out(tf.ones([2, 2, 1]), tf.constant([[900, 900], [1, 1]]))
    assert np.isfinite(found).all()


def test_what_is_said_does_not_depend_on_how_far_its_batch_is_padded(model: Synthesiser) -> None:
    alone, frames, lasting = model.speak(tf.constant([[1, 0]], tf.int64), tf.ones([1]))
    texts = tf.constant([[1, 0, -1, -1, -1], [2, 1, 0, 2, 1]], tf.int64)
    together, both, lasting_both = model.speak(texts, tf.ones([2]))
    assert both[0] == frames[0] and lasting_both[0, :4].numpy().tolist() == lasting[0].numpy().tolist()
    np.testing.assert_allclose(together[0, : frames[0]], alone[0], atol=1e-3)


def test_twice_the_rate_takes_half_the_time(model: Synthesiser) -> None:
    text = tf.constant([[0, 1, 2, 1]] * 2, tf.int64)
    _, frames, _ = model.speak(text, tf.constant([0.5, 1.0]))
    assert float(frames[0]) / float(frames[1]) == pytest.approx(2.0, rel=0.15)


def test_it_learns_what_it_hears(voice: Speaker) -> None:
    decibels, frames, texts = recordings()
    model = Synthesiser(voice, width=8, layers=1, size=3, dropout=0.0, floor=-90.0)
    levels = np.round((decibels + 90.0) / 0.5).astype(np.uint8)[..., None]
    model.compile(tf.keras.optimizers.Adam(0.02), run_eagerly=True)
    given = ({"text": tf.constant(texts), "frames": tf.constant(frames)}, {"sound": tf.constant(levels)})
    losses = [model.train_step(given)["loss"].numpy() for _ in range(2)]
    for _ in range(6):
        last = model.train_step(given)
    before = {metric.name: float(metric.result()) for metric in model.metrics}
    assert set(before) == {"loss", "spectrum_loss", "duration_loss"} and float(last["loss"]) < losses[0]
    model.reset_metrics()
    assert float(model.test_step(given)["spectrum_loss"]) < losses[0]


def test_it_speaks_in_half_precision_too(voice: Speaker) -> None:
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        made = Synthesiser(voice, width=8, layers=1, size=3, dropout=0.0, floor=-90.0)
        decibels = made({"text": tf.constant([[1, 0]], tf.int64)})
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert decibels.dtype == tf.float32 and np.isfinite(decibels).all()
