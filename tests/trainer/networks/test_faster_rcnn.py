"""Faster R-CNN's parts by hand, and that it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.faster_rcnn import MAX_DETECTIONS, POOLED, FasterRCNN, roi_align

HEIGHT, WIDTH = 48, 64


def squares(count: int, seed: int) -> tuple[Any, Any]:
    """Pictures with one bright and one dark square each, and where they are, in pixels."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(100, 140, (count, HEIGHT, WIDTH, 1), dtype=np.uint8)
    objects = np.zeros((count, 4, 5), np.float32)
    objects[..., 4] = -1
    for picture, rows in zip(pictures, objects, strict=True):
        for kind, left in enumerate((0, WIDTH // 2)):
            side = rng.integers(14, 22)
            x, y = left + rng.integers(0, WIDTH // 2 - side), rng.integers(0, HEIGHT - side)
            picture[y : y + side, x : x + side] = 250 if kind else 5
            rows[kind] = x, y, x + side, y + side, kind
    inputs = {"image": tf.constant(pictures), "size": tf.fill([count, 2], 1) * [[HEIGHT, WIDTH]]}
    return inputs, tf.constant(objects)


def test_roi_align_gives_the_features_under_a_box() -> None:
    rows = tf.range(12.0)[None, :, None, None] + tf.zeros([1, 12, 16, 1])  # a cell's feature is its row
    pooled = roi_align(rows, tf.constant([[[0.0, 0.0, 1.0, 1.0], [0.25, 0.25, 0.75, 0.5]]]))
    assert pooled.shape == (1, 2, POOLED, POOLED, 1)
    inside = pooled[0, 1, :, 0, 0].numpy()
    expected = 3 + 6 * (np.arange(POOLED) + 0.5) / POOLED - 0.5  # the centre of row r lies at r + 0.5
    np.testing.assert_allclose(inside, expected, atol=1e-4)


@pytest.fixture(scope="module")
def trained() -> Any:
    tf.keras.utils.set_random_seed(3)
    model = FasterRCNN(tf.TensorSpec([HEIGHT, WIDTH, 1], tf.uint8), classes=2, filters=8)
    model.compile(tf.keras.optimizers.Adam(2e-3))
    inputs, objects = squares(64, seed=0)
    data = tf.data.Dataset.from_tensor_slices((inputs, {"objects": objects})).repeat().batch(8)
    model.fit(data, steps_per_epoch=120, epochs=1, verbose=0)
    return model


def test_it_learns_to_find_what_it_has_not_seen(trained: Any) -> None:
    from trainer.metrics.detection import scores

    inputs, objects = squares(16, seed=1)
    detections = trained(inputs).numpy()
    assert detections.shape == (16, MAX_DETECTIONS, 6)
    assert scores(list(objects.numpy()), list(detections))["map_50"] > 0.8


def test_boxes_are_in_the_pixels_of_the_picture_as_it_came(trained: Any) -> None:
    inputs, _ = squares(2, seed=2)
    small, large = trained(inputs), trained(inputs | {"size": 10 * inputs["size"]})
    np.testing.assert_allclose(large[..., :4], 10 * small[..., :4], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(large[..., 4:], small[..., 4:], rtol=1e-5)


def test_what_is_missing_is_padding(trained: Any) -> None:
    inputs, _ = squares(2, seed=3)
    detections = trained(inputs).numpy()
    padding = detections[..., 4] == -1
    assert padding.any()
    assert (detections[padding][:, :4] == 0).all()
    assert (detections[padding][:, 5] == 0).all()


def test_a_picture_with_nothing_in_it_teaches_too(trained: Any) -> None:
    inputs, objects = squares(8, seed=4)
    losses = trained.test_on_batch(inputs, {"objects": tf.zeros_like(objects) - [0.0, 0.0, 0.0, 0.0, 1.0]})
    assert np.isfinite(losses).all()
