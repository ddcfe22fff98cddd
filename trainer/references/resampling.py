"""Pictures enlarged by interpolation, Pillow's: what super-resolution must beat."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}


def enlarged(pixels: Array, scale: int, method: str) -> Array:
    """uint8 `[height, width, 3]`, `scale` times as high and wide by one of `FILTERS`."""
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((scale * width, scale * height), FILTERS[method]))
