"""Histograms of optical flow (Dalal et al. 2006; Laptev et al. 2008) and logistic regression: how motions were told
apart before networks saw films."""

from __future__ import annotations

from typing import Any

import numpy as np

SIDE = 40
"""Pixels to which frames are brought."""
CELLS, DIRECTIONS = 3, 8
"""Of the grid over a frame, each way; of the motion in a cell."""
LEAST = 0.25
"""Pixels from one frame to the next below which a place stands still."""


def flow_accuracy(train: Any, train_labels: Any, evaluated: Any, labels: Any, seed: int) -> float | None:
    """The share of `evaluated` that logistic regression on histograms of the train split tells rightly.

    Args:
      train, evaluated: uint8 `[examples, frames, height, width, 1 | 3]`.
      train_labels, labels: int64 `[examples]`.
      seed: for the solver.

    Returns:
      None where the train split holds one class, or clips one frame.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(set(train_labels.tolist())) < 2 or train.shape[1] < 2:
        return None
    method = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300, tol=1e-3, random_state=seed))
    method.fit(histograms(train), train_labels)
    return float(method.score(histograms(evaluated), labels))


def histograms(clips: Any) -> np.ndarray:
    """Float32 `[examples, 3 * 3 * 11]`: of each cell of a grid over the frames how much moves in each of eight
    directions, over all pairs of neighbouring frames; the share that stands still; and the mean way right and down."""
    return np.array([_histogram(clip) for clip in clips], np.float32)


def _histogram(clip: Any) -> np.ndarray:
    from skimage.color import rgb2gray
    from skimage.registration import optical_flow_ilk
    from skimage.transform import resize

    grey = [
        resize(rgb2gray(f) if f.shape[-1] == 3 else f[..., 0] / 255, (SIDE, SIDE), anti_aliasing=True) for f in clip
    ]
    pairs = zip(grey[:-1], grey[1:], strict=True)
    flow = np.array([optical_flow_ilk(a, b, radius=4, num_warp=3, dtype=np.float32) for a, b in pairs])
    down, right = np.nan_to_num(flow[:, 0]), np.nan_to_num(flow[:, 1])
    length = np.hypot(down, right)
    direction = (
        np.floor((np.arctan2(down, right) / (2 * np.pi) + 0.5 / DIRECTIONS) * DIRECTIONS).astype(int) % DIRECTIONS
    )
    layers = [length * (direction == which) * (length >= LEAST) for which in range(DIRECTIONS)]
    layers += [length < LEAST, right, down]
    return np.concatenate([_in_cells(layer.mean(axis=0)) for layer in layers])


def _in_cells(values: np.ndarray) -> np.ndarray:
    """The mean of each cell of a grid, `[CELLS * CELLS]`."""
    edges = np.linspace(0, SIDE, CELLS + 1).astype(int)
    rows = [values[a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    return np.array([row[:, a:b].mean() for row in rows for a, b in zip(edges[:-1], edges[1:], strict=True)])
