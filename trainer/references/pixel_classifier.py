"""Which class a pixel has, told by its colour and its place alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainer.features.masks import UNSEEN

Array = np.ndarray[Any, Any]

SAMPLED = 60_000
"""Pixels that are learnt from."""


def logistic_regression(pictures: Array, masks: Array, evaluated: Array, seed: int) -> Iterator[Array]:
    """Masks of `evaluated` by multinomial logistic regression on the colour and the place of each pixel, their squares
    and their products.

    Args:
      pictures, evaluated: uint8 `[examples, height, width, channels]`, of one size.
      masks: classes of `pictures`, uint8 `[examples, height, width]`; from UNSEEN on a pixel has none.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    rng = np.random.default_rng(seed)
    each = max(1, SAMPLED // len(pictures))
    pixels, classes = [], []
    for picture, mask in zip(pictures, masks, strict=True):
        known = np.flatnonzero(mask.ravel() < UNSEEN)
        chosen = rng.choice(known, min(each, len(known)), replace=False)
        pixels.append(_pixels(picture)[chosen])
        classes.append(mask.ravel()[chosen])
    expanded = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler())
    model = make_pipeline(expanded, LogisticRegression(max_iter=200, random_state=seed))
    model.fit(np.concatenate(pixels), np.concatenate(classes))
    for picture in evaluated:
        yield model.predict(_pixels(picture)).reshape(picture.shape[:2])


def _pixels(picture: Array) -> Array:
    """float32 `[height * width, channels + 2]`."""
    height, width, channels = picture.shape
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    return np.dstack([picture / 255, rows, columns]).reshape(-1, channels + 2).astype(np.float32)
