"""Eigenfaces (Turk & Pentland 1991): pictures by their coordinates along the main directions of the train split."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

DIRECTIONS = 64
PICTURES_A_DIRECTION = 4
"""Of few pictures there are fewer directions: whitened, the last of them would be noise as loud as the first."""
ROWS = 1_000
"""That are compared with all others at a time."""
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
    return np.asarray(np.sum(_unit(a) * _unit(b), axis=1))


def nearest(asked: Array, gallery: Array) -> tuple[Array, Array]:
    """Of each row `[n, d]` the place of the row of `gallery` `[m, d]` with the highest cosine, and that cosine."""
    gallery = _unit(gallery)
    parts = [_unit(part) @ gallery.T for part in np.array_split(asked, len(asked) // ROWS + 1)]
    return np.concatenate([part.argmax(axis=1) for part in parts]), np.concatenate([part.max(axis=1) for part in parts])


def own_cosines(rows: Array, names: Array) -> Array:
    """The highest cosine of each row `[n, d]` with another of its name; without those that are alone."""
    found = []
    for name in np.unique(names):
        own = _unit(rows[names == name])
        if len(own) > 1:
            cosine = own @ own.T
            np.fill_diagonal(cosine, -np.inf)
            found.append(cosine.max(axis=1))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _unit(rows: Array) -> Array:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
