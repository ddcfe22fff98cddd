"""Style by colour alone: each channel is given the mean and the deviation that it has in another picture (Reinhard et
al. 2001), in the CIE's L*a*b*, whose channels are nearly independent in photographs."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LEAST_DEVIATION = 1e-3
"""Of a channel, in units of L*a*b*: a channel without variation is shifted."""


def reinhard(content: Array, style: Array) -> Array:
    """uint8 `[height, width, 3]` of the size of `content`, with the colours of `style`."""
    from skimage import color

    ours, theirs = (color.rgb2lab(picture) for picture in (content, style))
    (mean, deviation), (wanted_mean, wanted_deviation) = ((x.mean((0, 1)), x.std((0, 1))) for x in (ours, theirs))
    moved = (ours - mean) / np.maximum(deviation, LEAST_DEVIATION) * wanted_deviation + wanted_mean
    return _pixels(color.lab2rgb(moved))


def blend(content: Array, style: Array) -> Array:
    """Both pictures half and half, of the size of `content`."""
    from PIL import Image

    height, width = content.shape[:2]
    there = Image.fromarray(style).resize((width, height), Image.Resampling.LANCZOS)
    return _pixels((content / 255 + np.asarray(there) / 255) / 2)


def _pixels(shares: Array) -> Array:
    return np.asarray(np.round(shares.clip(0, 1) * 255), np.uint8)
