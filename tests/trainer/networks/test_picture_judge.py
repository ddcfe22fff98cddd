"""The judge tells classes apart where there are labels, and clusters where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.networks.picture_judge import CLUSTERS, FEATURES, picture_judge


@pytest.fixture(scope="module")
def stripes() -> tuple[np.ndarray, np.ndarray]:
    """120 noisy pictures 12x10 in colour: class k is bright in its own third of the rows."""
    generator = np.random.default_rng(0)
    labels = np.arange(120) % 3
    pictures = generator.integers(0, 60, (120, 12, 10, 3))
    for picture, label in zip(pictures, labels, strict=True):
        picture[4 * label : 4 * label + 4] += 180
    return pictures.astype(np.uint8), labels


def test_classes_are_learnt_and_features_are_of_one_scale(stripes: tuple[np.ndarray, np.ndarray]) -> None:
    pictures, labels = stripes
    partly = np.where(np.arange(120) < 90, labels, -1)  # a quarter is without label
    model = picture_judge({"image": pictures, "label": partly}, seed=0)
    judgement = model(pictures, training=False)
    assert (judgement["probabilities"].numpy().argmax(-1) == labels).mean() > 0.95
    features = model(pictures[:90], training=False)["features"].numpy()
    assert features.shape == (90, FEATURES)
    assert features.mean(0) == pytest.approx(np.zeros(FEATURES), abs=1e-3)
    assert features.var(0) == pytest.approx(np.ones(FEATURES), abs=1e-2)


@pytest.mark.parametrize("label", [-1, 0])
def test_without_two_classes_like_pictures_are_told_from_unlike(
    label: int, stripes: tuple[np.ndarray, np.ndarray]
) -> None:
    pictures, labels = stripes
    model = picture_judge({"image": pictures, "label": np.full(120, label)}, seed=0)
    clusters = model(pictures, training=False)["probabilities"].numpy().argmax(-1)
    assert len(set(clusters.tolist())) > 3
    assert max(clusters) < CLUSTERS
    kinds = [set(clusters[labels == k].tolist()) for k in range(3)]
    assert not (kinds[0] & kinds[1] or kinds[1] & kinds[2] or kinds[0] & kinds[2])
