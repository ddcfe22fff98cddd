"""The recogniser learns names, refuses strangers, and its threshold is a quantile."""

from __future__ import annotations

import numpy as np

from tests.trainer.networks.test_siamese import SIDE, people
from trainer import health
from trainer.backend import tf
from trainer.networks import embedding
from trainer.networks.recogniser import Recogniser

NAMES = 10


def pictures(patterns: np.ndarray, place: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (len(place), SIDE, SIDE, 1)
    return np.clip(patterns[place] + rng.normal(0, 25, shape), 0, 255).astype(np.uint8)


def test_it_tells_names_and_refuses_strangers() -> None:
    tf.keras.utils.set_random_seed(0)
    place = np.arange(320) % NAMES
    known = people(NAMES, 0)
    model = Recogniser(embedding.embedder((SIDE, SIDE, 1), 8, 32, 0.1), NAMES, 0.2, 0.05, target="who")
    model.compile(tf.keras.optimizers.Adam(3e-3))
    data = tf.data.Dataset.from_tensor_slices(({"image": pictures(known, place, 1)}, {"who": place}))
    model.fit(data.repeat().batch(32), steps_per_epoch=60, verbose=0)
    features = {"image": tf.constant(pictures(known, place[:100], 2))}
    cosines, threshold = model(features).numpy(), float(model.threshold)
    assert (cosines.argmax(axis=1) == place[:100]).mean() > 0.95
    assert 0.7 < (cosines.max(axis=1) >= threshold).mean() <= 1
    strangers = model({"image": pictures(people(20, 9), np.arange(100) % 20, 3)}).numpy().max(axis=1)
    assert (strangers < np.quantile(cosines.max(axis=1), 0.05)).mean() > 0.7
    assert health.look(model, features, {"who": tf.constant(place[:32])}) == ""


def test_a_cosine_has_to_be_ahead_by_the_margin() -> None:
    cosines = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    place = tf.constant([0, 0, -1])
    loose, tight = (float(embedding.large_margin_cosine_loss(cosines, place, margin)) for margin in (0.0, 0.5))
    by_hand = np.mean(np.log1p(np.exp([-embedding.SCALE, embedding.SCALE])))
    assert loose == np.float32(by_hand) and tight > loose
    assert float(embedding.large_margin_cosine_loss(cosines, tf.constant([-1, -1, -1]), 0.5)) == 0.0
    known = np.array([3, 5, 9])
    assert embedding.place_among(tf.constant([9, 4, 3, 10], tf.int64), known).numpy().tolist() == [2, -1, 0, -1]
