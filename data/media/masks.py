"""Masks in files to numbers: which class each pixel shows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from data.errors import BadValue
from data.media.palettes import VOID, Colour, voc_colours

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

WHITE_IS_1 = "black and white; white is taken as class 1"

_GREY = ("1", "L", "I", "I;16")


def numbers_of(content: bytes, colours: Mapping[Colour, int], void: int | None = VOID) -> tuple[Array, str]:
    """The number of each pixel's class in a PNG, uint8 `[height, width]`, and what was assumed, in words or empty.

    - Grey pictures hold the numbers. One that is black (0) and white (255) alone has the classes 0 and 1, as masks of
      one kind of thing are mostly written, unless `void` is not 255.
    - Indexed ones hold them too, whatever their palette, unless all that they show are colours of `colours`.
    - Pictures in colours are read by `colours` or, where none are given, by Pascal VOC's.

    Args:
      colours: RGB -> number, as a folder's own file says; empty where it says nothing.

    Raises:
      BadValue: it is no PNG, is damaged, transparent, has a number above 255, or a colour that belongs to no class.
    """
    import numpy as np

    mode, values, palette = _pixels(content)
    if mode == "P" and colours:
        used = np.unique(values)
        known = [
            colours.get(tuple(palette[number].tolist())) if number < len(palette) else None for number in used.tolist()
        ]
        if None not in known:
            table = np.zeros(256, np.uint8)
            table[used] = known
            return table[values], ""
    if mode == "P":
        return values.astype(np.uint8), ""
    if mode not in _GREY:
        return _by_colour(values, colours or voc_colours(), own=bool(colours)), ""
    if values.max() > 255:
        raise BadValue(f"a pixel of class {values.max()}; the last possible is 255")
    numbers = values.astype(np.uint8)
    if mode == "L" and void == VOID and _is_black_and_white(numbers):
        return (numbers == VOID).astype(np.uint8), WHITE_IS_1
    return numbers, ""


def _is_black_and_white(numbers: Array) -> bool:
    """Whether both occur and nothing else: all white may as well be a mask that is void all over."""
    import numpy as np

    return set(np.unique(numbers).tolist()) == {0, VOID}


def _pixels(content: bytes) -> tuple[str, Array, Any]:
    """Pillow's mode, the values as they are stored, and the palette `[n, 3]` of an indexed picture."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise BadValue("the file is empty")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
            palette = np.array(picture.getpalette("RGB") if picture.mode == "P" else [], int).reshape(-1, 3)
            if picture.mode in ("LA", "PA", "RGBA") and picture.getchannel("A").getextrema() != (255, 255):
                raise BadValue("transparent in places; a mask says of each pixel what it shows")
            if picture.mode not in (*_GREY, "P"):
                converted = picture.convert("L" if picture.mode == "LA" else "RGB")
                return converted.mode, np.asarray(converted), palette
            return picture.mode, np.asarray(picture), palette
    except UnidentifiedImageError:
        raise BadValue("not a PNG; what compresses with loss changes the classes of pixels") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadValue(f"cannot be decoded: {error}") from None


def _by_colour(pixels: Array, colours: Mapping[Colour, int], own: bool) -> Array:
    """`pixels`: uint8 `[height, width, 3]`."""
    import numpy as np

    packed = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1])
    found, place, inverse = np.unique(packed, return_index=True, return_inverse=True)
    numbers = np.zeros(len(found), np.uint8)
    for i, value in enumerate(found.tolist()):
        colour = value >> 16, value >> 8 & 255, value & 255
        number = colours.get(colour, VOID if voc_colours().get(colour) == VOID else None)
        if number is None:
            y, x = divmod(int(place[i]), pixels.shape[1])
            whose = "the folder's list of classes gives none this colour" if own else "it is none of Pascal VOC's"
            raise BadValue(f"the pixel at x {x}, y {y} has the colour {colour}, of no class: {whose}")
        numbers[i] = number
    return numbers[inverse].reshape(pixels.shape[:2])
