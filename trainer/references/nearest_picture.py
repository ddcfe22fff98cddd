"""The train picture that is most like another one, as it looks when both are shrunk to a few pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

SIDE = 16
"""Pixels to which pictures are shrunk: enough for colours and outlines."""

_AT_ONCE = 1024


def nearest(train: Any, pictures: Any) -> np.ndarray:
    """Of each of `pictures` the place in `train` of the one most like it, by cosine of shrunk pixels less the mean of
    train: int64 `[examples]`.

    Args:
      train, pictures: uint8 `[examples, height, width, channels]`.
    """
    known, asked = _shrunk(train), _shrunk(pictures)
    middle = known.mean(axis=0)
    known, asked = _of_length_one(known - middle), _of_length_one(asked - middle)
    parts = (asked[i : i + _AT_ONCE] @ known.T for i in range(0, len(asked), _AT_ONCE))
    return np.concatenate([part.argmax(axis=1) for part in parts])


def _shrunk(pictures: Any) -> np.ndarray:
    from trainer.backend import tf

    parts = (
        tf.image.resize(tf.cast(pictures[i : i + _AT_ONCE], tf.float32), [SIDE, SIDE], antialias=True).numpy()
        for i in range(0, len(pictures), _AT_ONCE)
    )
    return np.concatenate([part.reshape(len(part), -1) for part in parts])


def _of_length_one(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
