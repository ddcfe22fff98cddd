"""Pictures made worse on purpose, of which a model learns what they were: the `how` of a `Derived` column.

Each takes an encoded picture and a number that decides all that is random, and gives a PNG. Of a large picture it is
the middle that is kept, so that judging a model on big photographs takes no longer than on small ones.
"""

from __future__ import annotations

import io
from typing import Any

LARGEST = 512
"""Pixels on each side of the middle that is kept."""


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


def _png(picture: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()
