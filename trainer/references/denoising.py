"""Pictures mended by methods that learn nothing, scikit-image's: what a model that mends pictures must beat."""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage import exposure, restoration

Array = np.ndarray[Any, Any]

STRETCHED = (0.5, 99.5)
"""Percentiles of all values that become black and white."""


def unchanged(pixels: Array) -> Array:
    return pixels


def non_local_means(pixels: Array) -> Array:
    """Each pixel of uint8 `[height, width, 3]` as a mean of those whose surroundings look alike (Buades et al. 2005),
    as alike as its noise asks (`noise_deviation`)."""
    shares = pixels / 255
    deviation = noise_deviation(shares)
    if not deviation > 0:
        return pixels
    smooth = restoration.denoise_nl_means(
        shares, patch_size=5, patch_distance=6, h=0.8 * deviation, sigma=deviation, fast_mode=True, channel_axis=-1
    )
    return np.rint(smooth * 255).clip(0, 255).astype(np.uint8)


def noise_deviation(pixels: Array) -> float:
    """The standard deviation of Gaussian noise in floats `[height, width, channels]`: the median of the diagonal
    details of Haar's wavelet over 0.6745 (Donoho & Johnstone 1994)."""
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    even, odd = pixels[0:height:2, :width], pixels[1:height:2, :width]
    details = (even[:, 0::2] - even[:, 1::2] - odd[:, 0::2] + odd[:, 1::2]) / 2
    return float(np.median(np.abs(details)) / 0.6745) if details.size else 0.0


def stretched(pixels: Array) -> Array:
    """Its values spread over all of 0 to 255, those of the three channels alike."""
    low, high = np.percentile(pixels, STRETCHED)
    if not high > low:
        return pixels
    return np.asarray(exposure.rescale_intensity(pixels, (low, high), (0, 255)), np.float64).round().astype(np.uint8)


def non_local_means_stretched(pixels: Array) -> Array:
    return stretched(non_local_means(pixels))
