"""What generators of pictures share: labels that may be missing, a judge, its metrics, grids that people see."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.families import classification
from trainer.features import images
from trainer.preview import Picture, Preview
from trainer.task import Arrays, Features, Metric

GRID = 64
"""Pictures in the overview."""

MODULE = "trainer.metrics.generative"


def pictures_and_labels(inputs: Features, size: int, at_most: int = 64) -> Features:
    """`image` and `label` of optional labels, for use in `preprocess`: full passes.

    Args:
      inputs: raw columns `image`, with its sizes, and the optional `label`.
      size: side in pixels of the pictures; 0 takes the train split's median width and height, up to `at_most`.

    Returns:
      `image` uint8 `[batch, height, width, 1 | 3]`, `label` int64 `[batch]`, -1 where there is none.
    """
    height = size or images.typical_side(inputs["image_height"], at_most=at_most)
    width = size or images.typical_side(inputs["image_width"], at_most=at_most)
    channels = images.needed_channels(inputs["image_channels"])
    label = classification.index_labels(inputs["label"], "label")
    one_each = tf.sparse.SparseTensor(label.indices, label.values, [label.dense_shape[0], 1])
    return {
        "image": images.decode(inputs["image"], height, width, channels),
        "label": tf.sparse.to_dense(one_each, default_value=-1)[:, 0],
    }


def as_pixels(pictures: Any, low: float, high: float) -> Any:
    """Floats from `low` to `high` to uint8 of the same shape."""
    pixels = tf.round((tf.cast(pictures, tf.float32) - low) * (255.0 / (high - low)))
    return tf.cast(tf.clip_by_value(pixels, 0.0, 255.0), tf.uint8)


def judged_metrics() -> tuple[Metric, ...]:
    """Of pictures as a whole beside real ones; they need `Task.judge` to be `judge`."""
    kinds = {"frechet_distance": "FrechetDistance", "class_coverage": "ClassCoverage", "class_entropy": "ClassEntropy"}
    return tuple(Metric(name, kind, MODULE, judged=True) for name, kind in kinds.items())


def judge(train: Arrays, seed: int) -> Any:
    """See `trainer.networks.picture_judge`; `train` has `image` and `label` as `pictures_and_labels` makes them."""
    from trainer.networks.picture_judge import picture_judge

    return picture_judge(train, seed)


def beside_real(examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> list[Preview]:
    """An overview: up to `GRID` generated pictures in a square, and as many real ones at the same size."""
    generated = np.stack([prediction["image"] for prediction in predictions[:GRID]])
    real = images.decode(tf.constant([example["image"] for example in examples[:GRID]]), *generated.shape[1:])
    parts = (Picture(grid(generated), "generated"), Picture(grid(real.numpy()), "real"))
    return [Preview("generated beside real", None, {}, parts)]


def grid(pictures: np.ndarray) -> np.ndarray:
    """Pictures `[n, height, width, channels]` row by row in a square as one."""
    n, height, width, channels = pictures.shape
    side = math.ceil(math.sqrt(n))
    cells = np.zeros((side * side, height, width, channels), pictures.dtype)
    cells[:n] = pictures
    square = cells.reshape(side, side, height, width, channels).swapaxes(1, 2)
    return square.reshape(side * height, side * width, channels)
