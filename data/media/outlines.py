"""COCO's outlines of objects to masks: polygons, and run lengths as lists or as text.

The forms are those of Lin et al. 2014, "Microsoft COCO: Common Objects in Context", and of its tools' `maskApi.c`:
polygons are lists of x, y, x, y ... in pixels, from the picture's left top corner; run lengths go down the columns,
from the left, and begin with pixels that are not the object's.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.errors import BadValue
from data.media.palettes import VOID

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BACKGROUND = "background"
"""The class 0, of pixels that lie in no object."""

MAX_SIDE = 8192


@dataclass(frozen=True, slots=True)
class Outline:
    """One object: the number of its class, and `segmentation` as `compact` keeps it. Of a `crowd` it is not known which
    pixel shows what, so they are void."""

    number: int
    segmentation: Any
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Outlines:
    """All objects of a picture of `size` (width, height) pixels, and the names of classes by number."""

    size: tuple[int, int] | None
    objects: Sequence[Outline]
    names: Mapping[int, str]

    def mask(self) -> Array:
        """uint8 `[height, width]`: 0 where no object is. Where objects lie on another the smallest is seen.

        Raises:
          BadValue: the size is not known, or an outline is none.
        """
        import numpy as np

        if self.size is None or max(self.size) > MAX_SIDE:
            raise BadValue("its entry in images lacks width and height, without which outlines are no mask")
        width, height = self.size
        numbers = np.zeros((height, width), np.uint8)
        drawn = [(one, _drawn(place, one.segmentation, width, height)) for place, one in enumerate(self.objects, 1)]
        drawn.sort(key=lambda pair: (not pair[0].crowd, -len(pair[1])))
        for one, pixels in drawn:
            numbers.reshape(-1)[pixels] = VOID if one.crowd else one.number
        return numbers


def compact(segmentation: Any) -> Any:
    """An annotation's `segmentation` in little memory: a list of arrays of coordinates, or a mapping with `size` and
    `counts`, a text or an array; None where it is neither."""
    if isinstance(segmentation, Mapping):
        counts, size = segmentation.get("counts"), segmentation.get("size")
        if isinstance(counts, list) and all(isinstance(one, int) and 0 <= one < 2**32 for one in counts):
            counts = array("L", counts)
        return {"size": size, "counts": counts} if isinstance(counts, (str, array)) else None
    try:
        return [array("f", polygon) for polygon in segmentation] if segmentation else None
    except (TypeError, OverflowError):
        return None


def _drawn(place: int, segmentation: Any, width: int, height: int) -> Array:
    """Which pixels an object covers: int64 `[n]`, each once, counted along the rows from the left top."""
    import numpy as np

    if isinstance(segmentation, Mapping):
        if list(segmentation["size"] or ()) != [height, width]:
            size = segmentation["size"]
            raise BadValue(f"object {place}: run lengths of size {size}; its picture has [{height}, {width}]")
        down = _covered(place, segmentation["counts"], width * height)
        return np.sort(down % height * width + down // height)
    covered = [_filled(place, polygon, width, height) for polygon in segmentation]
    return np.unique(np.concatenate(covered))


def _filled(place: int, polygon: Any, width: int, height: int) -> Array:
    """A pixel is inside where its centre is."""
    import numpy as np
    from skimage.draw import polygon as fill

    if len(polygon) < 6 or len(polygon) % 2 or not all(map(math.isfinite, polygon)):
        raise BadValue(f"object {place}: expected [x, y, x, y, x, y ...] of three corners or more, all finite")
    x, y = np.reshape(polygon, (-1, 2)).T.astype(np.float64)
    rows, columns = fill(y - 0.5, x - 0.5, (height, width))
    return np.asarray(rows * width + columns)


def _covered(place: int, counts: Any, pixels: int) -> Array:
    """Of run lengths the places that are covered, counted down the columns."""
    import numpy as np

    lengths = np.array(_run_lengths(counts) if isinstance(counts, str) else counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != pixels:
        raise BadValue(f"object {place}: run lengths of {lengths.sum()} pixels in all; its picture has {pixels}")
    return np.flatnonzero(np.repeat(np.arange(len(lengths)) % 2, lengths))


def _run_lengths(text: str) -> list[int]:
    """Run lengths from text: five bits a character, the lowest first, a sixth where more follow; from the fourth on
    each is told by its difference from the one before the last (`rleFrString`)."""
    lengths: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value, shift = 0, 0
    return lengths
