"""Telling, before training starts, whether TensorFlow will be able to decode a picture, and into what shape.

Pillow decodes it, and what Pillow forgives but TensorFlow does not is checked here on top.
"""

from __future__ import annotations

import io
import zlib

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from data.errors import BadValue

FORMATS = ("PNG", "JPEG", "BMP", "GIF")

_PNG_SIGNATURE_BYTES = 8
_BMP_CHANNELS = {8: 1, 24: 3, 32: 4}


def decoded_shape(content: bytes, min_size: int, max_size: int) -> tuple[int, int, int]:
    """Width, height (pixels) and channels of an encoded picture, as tf.io.decode_image gives them.

    Raises:
      BadValue: it cannot be decoded, or a side is not within `min_size` and `max_size`.
    """
    try:
        with Pillow.open(io.BytesIO(content)) as picture:
            # A telephone's JPEG with a second picture behind the first is MPO to Pillow.
            kind = "JPEG" if picture.format == "MPO" else picture.format
            if kind not in FORMATS:
                raise BadValue(f"a {kind} picture; convert it to PNG or JPEG")
            width, height = picture.size
            if not (min_size <= width <= max_size and min_size <= height <= max_size):
                raise BadValue(f"{width}x{height} pixels; each side must be {min_size} to {max_size}")
            picture.load()
            if kind == "PNG":
                _check_png(content)
                return width, height, _png_channels(picture)
            if kind == "BMP":
                return width, height, _bmp_channels(content, picture)
            if kind == "GIF":
                _check_gif(content, picture)
                return width, height, 3
            return width, height, 1 if picture.mode == "L" else 3
    except UnidentifiedImageError:
        raise BadValue(f"not a picture in a known format ({', '.join(FORMATS)})") from None
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise BadValue("the picture has too many pixels to be decoded safely") from None
    except BadValue:
        raise
    except Exception as error:  # noqa: BLE001 - on damaged bytes Pillow raises nearly anything, struct.error too
        raise BadValue(f"the picture cannot be decoded: {error}") from None


def _check_png(content: bytes) -> None:
    place = _PNG_SIGNATURE_BYTES
    while place + 12 <= len(content):
        end = place + 8 + int.from_bytes(content[place : place + 4], "big")
        if zlib.crc32(content[place + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise BadValue("the picture is damaged (PNG checksum)")
        if content[place + 4 : place + 8] == b"IEND":
            return
        place = end + 4
    raise BadValue("the picture is truncated")


def _png_channels(picture: Pillow.Image) -> int:
    if picture.mode == "P":
        return 4 if "transparency" in picture.info else 3
    return len(picture.getbands())


def _bmp_channels(content: bytes, picture: Pillow.Image) -> int:
    """TensorFlow reads uncompressed pixels and knows no palettes."""
    start, depth = (int.from_bytes(content[at : at + size], "little") for at, size in ((10, 4), (28, 2)))
    if depth not in _BMP_CHANNELS or picture.mode in ("1", "P"):
        raise BadValue("a BMP picture that is neither 8-bit grey nor 24- or 32-bit; convert it to PNG")
    row = (picture.width * depth + 31) // 32 * 4
    if len(content) < start + row * picture.height:
        raise BadValue("the picture is truncated or compressed; convert it to PNG")
    return _BMP_CHANNELS[depth]


def _check_gif(content: bytes, picture: Pillow.Image) -> None:
    for frame in range(getattr(picture, "n_frames", 1)):
        picture.seek(frame)
        picture.load()
    if not content.endswith(b"\0;"):
        raise BadValue("the picture is truncated")
