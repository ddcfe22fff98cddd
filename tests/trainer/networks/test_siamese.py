"""The siamese network tells strangers apart after it has learnt others, and sets its threshold on those it has not."""

from __future__ import annotations

import numpy as np

from trainer import health
from trainer.backend import tf
from trainer.networks import embedding, siamese

SIDE = 16


def people(count: int, seed: int) -> np.ndarray:
    """A blurred pattern each, float `[count, SIDE, SIDE, 1]`."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.uniform(0, 255, (count, 4, 4)), np.ones((SIDE // 4, SIDE // 4)))[..., None]


def pairs(patterns: np.ndarray, count: int, rng: np.random.Generator, named: bool = True) -> tuple[dict, dict]:
    first = rng.integers(len(patterns), size=count)
    second = np.where(np.arange(count) % 2, first, (first + rng.integers(1, len(patterns), count)) % len(patterns))

    def taken(which: np.ndarray) -> np.ndarray:
        light = rng.uniform(0.4, 1.0, (count, 1, 1, 1))
        return np.clip(patterns[which] * light + rng.normal(0, 25, (count, SIDE, SIDE, 1)), 0, 255).astype(np.uint8)

    names = (first, second) if named else (np.full(count, -1), np.full(count, -1))
    targets = {"same": (first == second).astype(np.int64), "person": names[0], "partner_person": names[1]}
    return {"image": taken(first), "partner": taken(second)}, targets


def trained(named: bool, people_learnt: int) -> siamese.Siamese:
    rng = np.random.default_rng(1)
    features, targets = pairs(people(people_learnt, 0), 640, rng, named)
    tf.keras.utils.set_random_seed(0)
    learnt, calibrating = siamese.shared_out(np.concatenate([targets["person"], targets["partner_person"]]))
    assert len(learnt) + len(calibrating) == (people_learnt if named else 0)
    model = siamese.Siamese(embedding.embedder((SIDE, SIDE, 1), 8, 32, 0.1), learnt, calibrating, margin=0.2)
    model.compile(tf.keras.optimizers.Adam(3e-3))
    data = tf.data.Dataset.from_tensor_slices((features, targets)).repeat().batch(32, drop_remainder=True)
    model.fit(data, steps_per_epoch=80, verbose=0)
    return model


def test_strangers_are_told_apart_by_a_threshold_from_people_it_did_not_learn() -> None:
    model = trained(named=True, people_learnt=32)
    features, targets = pairs(people(12, 7), 200, np.random.default_rng(2))
    cosine = model(features).numpy()
    decided = cosine >= model.threshold.numpy()
    assert (decided == (targets["same"] == 1)).mean() > 0.85
    probability = model.probability(cosine).numpy()
    assert ((probability >= 0.5) == decided).all()
    assert health.look(model, features, targets) == ""


def test_pairs_alone_are_learnt_from_where_nobody_is_named() -> None:
    model = trained(named=False, people_learnt=32)
    features, targets = pairs(people(12, 7), 200, np.random.default_rng(2))
    cosine = model(features).numpy()
    same = targets["same"] == 1
    assert (cosine[same][:, None] > cosine[~same][None]).mean() > 0.85


def test_of_few_names_none_is_kept_from_learning() -> None:
    learnt, calibrating = siamese.shared_out(np.array([5, 3, -1, 3, 9]))
    assert learnt.tolist() == [3, 5, 9] and not len(calibrating)
    learnt, calibrating = siamese.shared_out(np.repeat(np.arange(40), 2))
    assert len(calibrating) == 5 and not set(learnt) & set(calibrating)
