"""Eigenfaces (Turk & Pentland 1991): pictures by their coordinates along the main directions of the train split."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DIRECTIONS = 64
PICTURES_A_DIRECTION = 4
"""Of few pictures there are fewer directions: whitened, the last of them would be noise as loud as the first."""
LEARNT = 4_000
"""Pictures from which the directions are learnt, at most. Copies count once."""


def learn(pictures: Array, seed: int) -> Any:
    """scikit-learn's PCA with whitened coordinates, in which cosines are the Mahalanobis cosine (Yambor et al. 2002),
    the best measure for eigenfaces. `pictures`: uint8 `[n, height, width, channels]`."""
    from sklearn.decomposition import PCA

    once = list({picture.tobytes(): picture for picture in pictures}.values())[:LEARNT]
    flat = flattened(np.stack(once))
    directions = max(1, min(DIRECTIONS, len(flat) // PICTURES_A_DIRECTION, flat.shape[1]))
    return PCA(directions, whiten=True, random_state=seed).fit(flat)


def coordinates(pictures: Array, learnt: Any) -> Array:
    """float32 `[n, directions]`."""
    return np.asarray(learnt.transform(flattened(pictures)), np.float32)


def flattened(pictures: Array) -> Array:
    """float32 `[n, values]`, 0 to 1."""
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def cosines(a: Array, b: Array) -> Array:
    """Of rows, `[n, d]` each, to `[n]`; 0 where one is all 0."""
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide(np.sum(a * b, axis=1), length, out=np.zeros(len(a), np.float32), where=length > 0)
