"""Pictures made worse on purpose, of which a model learns what they were: the `how` of a `Derived` column.

Each takes an encoded picture and a number that decides all that is random, and gives a PNG. Of a large picture it is
the middle that is kept, so that judging a model on big photographs takes no longer than on small ones.
"""

from __future__ import annotations

import io
from typing import Any

LARGEST = 512
"""Pixels on each side of the middle that is kept."""

# How bad it gets, from and to, drawn evenly. `trainer.features.degradations` does the same to tensors.
NOISE = (10.0, 35.0)
"""Standard deviation in grey levels of 255, of each channel on its own, or of grey where the picture is grey."""
BLUR = (0.8, 2.0)
"""Standard deviation in pixels of the Gaussian."""
BLUR_REACH = 6
"""Pixels from its middle to its edge."""
GAMMA, GAIN = (1.4, 2.2), (0.35, 0.7)
"""Of low light: the share `v` of full brightness becomes `gain v^gamma`."""
DARK_NOISE = 2.0
"""Standard deviation in grey levels, of what is taken in low light."""
QUALITY = (10, 30)
"""Of JPEG, with halved colours."""


def halved(content: bytes, number: int) -> bytes:
    """Half as wide and high, by Pillow's antialiased bicubic filter (a = -0.5), which is MATLAB's `imresize` too."""
    from PIL import Image

    del number
    picture = middle(content, even=True)
    return _png(picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BICUBIC))


def middle(content: bytes, even: bool = False) -> Any:
    """The middle of a picture as a Pillow image, grey or RGB, at most `LARGEST` pixels on each side; of an even number
    of pixels where `even`. `trainer.features.images.middle` is the same for tensors."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    width, height = (min(side, LARGEST) // (2 if even else 1) * (2 if even else 1) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def noisy(content: bytes, number: int) -> bytes:
    """With Gaussian noise."""
    pixels, rng = _pixels(content, number)
    return _saved(pixels + rng.normal(0, rng.uniform(*NOISE), pixels.shape))


def blurred(content: bytes, number: int) -> bytes:
    """Out of focus: a Gaussian blur."""
    from scipy import ndimage

    pixels, rng = _pixels(content, number)
    return _saved(ndimage.gaussian_filter(pixels, rng.uniform(*BLUR), mode="nearest", radius=BLUR_REACH, axes=(0, 1)))


def darkened(content: bytes, number: int) -> bytes:
    """Taken in low light."""
    pixels, rng = _pixels(content, number)
    dark = 255 * rng.uniform(*GAIN) * (pixels / 255) ** rng.uniform(*GAMMA)
    return _saved(dark + rng.normal(0, DARK_NOISE, pixels.shape))


def compressed(content: bytes, number: int) -> bytes:
    """Saved as a JPEG of low quality."""
    import numpy as np

    quality = np.random.default_rng(number).integers(QUALITY[0], QUALITY[1] + 1)
    out = io.BytesIO()
    middle(content).save(out, "JPEG", quality=int(quality))
    return out.getvalue()


def _pixels(content: bytes, number: int) -> tuple[Any, Any]:
    """float64 `[height, width]` or `[height, width, 3]` of the middle, and a generator of random numbers."""
    import numpy as np

    return np.asarray(middle(content), np.float64), np.random.default_rng(number)


def _saved(pixels: Any) -> bytes:
    import numpy as np
    from PIL import Image

    return _png(Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8)))


def _png(picture: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()
