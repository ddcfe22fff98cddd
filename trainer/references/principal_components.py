"""Pictures as a few numbers by principal components: what an autoencoder of as many numbers must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BATCH = 1_000
"""Pictures that are floats at a time."""


@dataclass(frozen=True)
class PrincipalComponents:
    """What was learnt from uint8 pictures of one `shape`, `[height, width, channels]`."""

    shape: tuple[int, ...]
    mean: Array
    """float32 `[pixels]`."""
    axes: Array
    """float32 `[count, pixels]`, orthonormal."""
    deviations: Array
    """Of the pictures along each axis, float32 `[count]`."""

    @property
    def count(self) -> int:
        return len(self.axes)

    def draw(self, count: int, seed: int) -> Array:
        """New pictures, uint8 `[count, *shape]`: their strengths are normally distributed as those learnt from, each
        by itself (Tipping & Bishop 1999)."""
        rng = np.random.default_rng(seed)
        return self._pictures(rng.normal(size=(count, self.count)).astype(np.float32) * self.deviations)

    def reconstruction_psnr(self, pictures: Array) -> float:
        """Mean over uint8 `[n, *shape]` of the PSNR, in dB, of what the components keep of each."""
        parts = (pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH))
        errors = np.concatenate([self._squared_errors(part) for part in parts])
        return float(np.mean(10 * np.log10(255**2 / np.maximum(errors, 255**2 / 1e10))))

    def _squared_errors(self, pictures: Array) -> Array:
        flat = pictures.reshape(len(pictures), -1).astype(np.float32)
        kept = self._pictures((flat - self.mean) @ self.axes.T)
        return np.mean((flat - kept.reshape(flat.shape)) ** 2, axis=1)

    def _pictures(self, strengths: Array) -> Array:
        pixels = np.rint(strengths @ self.axes + self.mean).clip(0, 255).astype(np.uint8)
        return pixels.reshape(len(strengths), *self.shape)


def learn(pictures: Array, count: int, seed: int) -> PrincipalComponents:
    """The first `count` principal components of uint8 pictures `[n, height, width, channels]`, n ≥ 2, or as many as
    there are."""
    from sklearn.decomposition import PCA

    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    learnt = PCA(min(count, *flat.shape), svd_solver="randomized", random_state=seed).fit(flat)
    deviations = np.sqrt(learnt.explained_variance_)
    return PrincipalComponents(pictures.shape[1:], learnt.mean_, learnt.components_, deviations.astype(np.float32))
