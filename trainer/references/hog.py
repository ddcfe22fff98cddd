"""Histograms of oriented gradients (Dalal & Triggs 2005) and logistic regression: how pictures were told apart before
convolutional networks."""

from __future__ import annotations

from typing import Any

import numpy as np

SIDE, CELL = 96, 12
"""Pixels to which pictures are brought, and of a cell: 7 x 7 blocks of 2 x 2 cells with 9 directions each."""


def hog_accuracy(train: Any, train_labels: Any, evaluated: Any, labels: Any, seed: int) -> float | None:
    """The share of `evaluated` that logistic regression on histograms of the train split tells rightly.

    Args:
      train, evaluated: uint8 `[examples, height, width, 1 | 3]`.
      train_labels, labels: int64 `[examples]`.
      seed: for the solver.

    Returns:
      None where the train split holds one class.
    """
    from sklearn.linear_model import LogisticRegression

    if len(set(train_labels.tolist())) < 2:
        return None
    method = LogisticRegression(C=1.0, max_iter=200, tol=1e-3, random_state=seed)
    method.fit(histograms(train), train_labels)
    return float(method.score(histograms(evaluated), labels))


def histograms(pictures: Any) -> np.ndarray:
    """Float32 `[examples, 1764]`. Each pixel's gradient is that of the channel where it is steepest."""
    from skimage.feature import hog
    from skimage.transform import resize

    found = [
        hog(
            resize(picture, (SIDE, SIDE), anti_aliasing=True),
            pixels_per_cell=(CELL, CELL),
            cells_per_block=(2, 2),
            channel_axis=-1,
        )
        for picture in pictures
    ]
    return np.array(found, np.float32)
