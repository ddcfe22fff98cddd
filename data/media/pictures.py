"""Pictures in files to encoded bytes that TensorFlow is certain to decode, upright, opaque and of 8 bits a channel.

Ordinary PNG and JPEG files stay as they are, byte for byte. What a viewer shows otherwise than `tf.io.decode_image`
decodes it, or what only a viewer reads, is rewritten once, on the way in: `decodable` says by which rules.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import ExifTags, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError
from PIL import Image as Pillow

from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM", "QOI")
TURNED = "turned upright, as the EXIF orientation says"
ON_WHITE = "transparent; laid on white"
ON_BLACK = "transparent and all but white; laid on black"
FIRST_FRAME = "several frames or pages; the first is taken"
CONSTANT = "the same colour all over"

_READ = (*FORMATS, "DIB")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""(first column, first row, step between columns, between rows) of each pass of an interlaced PNG."""
_TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_MAX_SAMPLE_VALUE, _S_MAX_SAMPLE_VALUE = 281, 341
"""Tags of TIFF."""
_VANISHES = 16
"""Of 255 grey levels: a transparent picture that differs less from white cannot be seen on it."""
_REMARK_KEY = "Benison"


@dataclass(frozen=True)
class Stored:
    """A picture as it is stored: `width` and `height` in pixels, `channels` as tf.io.decode_image gives them."""

    content: bytes
    width: int
    height: int
    channels: int


def decodable(content: bytes, min_size: int, max_size: int) -> Stored:
    """A picture as bytes that tf.io.decode_image decodes to what a viewer shows.

    PNG and JPEG files that need no change are returned as they are. Otherwise:

    - A picture with an EXIF orientation is turned upright. A JPEG stays one, with its own quantisation tables and
      chroma sampling, so that it changes by less than one of 255 levels on average; all else becomes PNG, unchanged.
    - Of animations and files with several pages the first is taken.
    - Transparent pictures are laid on white, or on black where nothing would be seen on white.
    - More than 8 bits a channel are scaled to 8 from the depth in use: `to_8_bits`.
    - Other formats (`FORMATS`), and JPEGs of rare kinds (lossless, arithmetic coding), become PNG.

    The rules look at one picture alone, so training and every later answer treat it alike. `remarks` tells which of
    them were used.

    Raises:
      BadValue: it cannot be decoded to its end, or a side is not within `min_size` and `max_size`.
    """
    try:
        if content.startswith(_PNG_SIGNATURE):
            return _png(content, min_size, max_size)
        with Pillow.open(io.BytesIO(content), formats=_READ) as picture:
            _check_size(*picture.size, min_size, max_size)
            picture.load()
            if picture.format in ("JPEG", "MPO"):  # a telephone's JPEG with a second picture behind the first is MPO
                return _jpeg(content, picture)
            if picture.format == "GIF":
                _check_gif(content)
            if picture.format == "JPEG2000" and content.rfind(b"\xff\xd9") <= content.rfind(b"\xff\x90"):
                raise BadValue("the picture is truncated")  # no end after the last tile begins
            several = getattr(picture, "n_frames", 1) > 1
            return _rewritten(picture, [FIRST_FRAME] if several else [], content)
    except UnidentifiedImageError:
        raise BadValue(_unknown(content)) from None
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise BadValue("the picture has too many pixels to be decoded safely") from None
    except BadValue:
        raise
    except Exception as error:  # noqa: BLE001 - on damaged bytes Pillow raises nearly anything, struct.error too
        raise BadValue(f"the picture cannot be decoded: {error}") from None


def shrunk(stored: Stored, longest: int) -> Stored:
    """A picture whose longer side has at most `longest` pixels: itself, or a PNG that keeps its remarks."""
    if max(stored.width, stored.height) <= longest:
        return stored
    notes = [note for note in remarks(stored.content) if note != CONSTANT]
    with Pillow.open(io.BytesIO(stored.content), formats=("PNG", "JPEG")) as opened:
        picture = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
    picture.thumbnail((longest, longest), Pillow.Resampling.LANCZOS)
    info = PngImagePlugin.PngInfo()
    if notes:
        info.add_text(_REMARK_KEY, "|".join(notes))
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=info)
    return Stored(out.getvalue(), picture.width, picture.height, 1 if picture.mode == "L" else 3)


def remarks(stored: bytes) -> list[str]:
    """What a person should know of a picture that `decodable` gave: what was changed, whether it is of one colour."""
    if stored.startswith(_PNG_SIGNATURE):
        chunks = list(_png_chunks(stored))
        texts = [data for kind, data in chunks if kind == b"tEXt" and data.startswith(_REMARK_KEY.encode() + b"\0")]
        found = texts[0].partition(b"\0")[2].decode("latin-1").split("|") if texts else []
        found += [FIRST_FRAME] if any(kind == b"acTL" for kind, _ in chunks) else []
    else:
        with Pillow.open(io.BytesIO(stored), formats=("JPEG",)) as picture:
            comment = picture.info.get("comment", b"")
        mark = f"{_REMARK_KEY}: ".encode()
        found = comment.removeprefix(mark).decode("latin-1").split("|") if comment.startswith(mark) else []
    return [*found, CONSTANT] if _is_constant(stored) else found


def to_8_bits(values: np.ndarray[Any, Any], declared: int | None = None) -> tuple[np.ndarray[Any, Any], int]:
    """Values of more than 8 bits as uint8, and the depth in bits that they were scaled from.

    Cameras, scanners and microscopes put 10, 12 or 14 bits into 16, so a file's 16 say little. The depth is the one
    that the file declares (sBIT of PNG, SMaxSampleValue or MaxSampleValue of TIFF), else as many bits as its largest
    value has, rounded up to 8, 10, 12, 14, 16, 24 or 32. It follows from one picture alone, since the same picture must
    look the same to a trained model, which knows nothing of the others; its limit is that a picture without one bright
    pixel may be taken for one of fewer bits than its neighbours have, and is brightened. `benison data check` counts
    pictures by depth, so that this is seen.

    Args:
      values: integers from 0, or floats in 0 to 1 (or whole ones from 0, which are taken as integers); any shape.
      declared: bits in use, where the file says so.

    Raises:
      BadValue: negative values, none at all (NaN), or floats that are neither.
    """
    import numpy as np

    low, high = values.min(), values.max()
    if not low >= 0 or not np.isfinite(high):
        raise BadValue("the picture has values below zero or that are no numbers; scale them to 0 to 255")
    if values.dtype.kind == "f":
        if high <= 1:
            return np.round(values * 255).astype(np.uint8), 32
        if (values != np.floor(values)).any() or high >= 2**32:
            raise BadValue(f"floating-point values up to {high:g}; must be 0 to 1, or whole")
    used = max(int(high).bit_length(), 8)
    depth = declared if declared and declared >= used else next(bits for bits in _DEPTHS if bits >= used)
    return np.round(values.astype(np.float64) * (255 / (2**depth - 1))).astype(np.uint8), depth


def _check_size(width: int, height: int, min_size: int, max_size: int) -> None:
    if not (min_size <= width <= max_size and min_size <= height <= max_size):
        raise BadValue(f"{width}x{height} pixels; each side must be {min_size} to {max_size}")


def _unknown(content: bytes) -> str:
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return "a HEIC picture; convert it to JPEG or PNG"
    try:
        with Pillow.open(io.BytesIO(content)) as picture:
            return f"a {picture.format} picture; convert it to PNG or JPEG"
    except Exception:  # noqa: BLE001 - as above; it was only to be named
        return f"not a picture in a known format ({', '.join(FORMATS)})"


# PNG


def _png(content: bytes, min_size: int, max_size: int) -> Stored:
    """Checks all that libpng checks, which leaves ordinary files without a second decoding."""
    chunks = list(_png_chunks(content))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1][0] != b"IEND":
        raise BadValue("the picture is truncated")
    header = chunks[0][1]
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, compression, filtering, interlaced = header[8:]
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filtering or interlaced > 1:
        raise BadValue("the picture is damaged (PNG header)")
    _check_size(width, height, min_size, max_size)
    kinds = {kind for kind, _ in chunks}
    _check_png_order([kind for kind, _ in chunks], dict(chunks).get(b"PLTE"), colour)
    _check_png_data(chunks, width, height, depth * _PNG_CHANNELS[colour], bool(interlaced))
    channels = 3 if colour == 3 else _PNG_CHANNELS[colour]
    orientation = _orientation(dict(chunks)[b"eXIf"]) if b"eXIf" in kinds else 1
    if depth == 16 or orientation != 1:
        return _opened_png(content, orientation, [FIRST_FRAME] if b"acTL" in kinds else [], dict(chunks).get(b"sBIT"))
    if colour in (4, 6) or b"tRNS" in kinds:
        with Pillow.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if not _is_opaque(picture):
                return _rewritten(picture, [FIRST_FRAME] if b"acTL" in kinds else [], content)
        channels += b"tRNS" in kinds
    return Stored(content, width, height, channels)


def _opened_png(content: bytes, orientation: int, notes: list[str], significant: bytes | None) -> Stored:
    with Pillow.open(io.BytesIO(content), formats=("PNG",)) as picture:
        picture.load()
        declared = max(significant) if significant else None
        return _rewritten(picture, notes, content, orientation, declared)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk to the end of the picture.

    Raises:
      BadValue: a chunk is cut or its checksum is wrong.
    """
    place = len(_PNG_SIGNATURE)
    while place + 12 <= len(content):
        end = place + 8 + int.from_bytes(content[place : place + 4], "big")
        body = content[place + 4 : end]
        if end + 4 > len(content):
            break
        if zlib.crc32(body) != int.from_bytes(content[end : end + 4], "big"):
            raise BadValue("the picture is damaged (PNG checksum)")
        yield body[:4], body[4:]
        if body[:4] == b"IEND":
            return
        place = end + 4
    raise BadValue("the picture is truncated")


def _check_png_order(kinds: list[bytes], palette: bytes | None, colour: int) -> None:
    data = [place for place, kind in enumerate(kinds) if kind == b"IDAT"]
    unknown = [kind for kind in kinds if not kind[:1].islower() and kind not in _PNG_CRITICAL]
    damaged = unknown or not data or data[-1] - data[0] >= len(data) or kinds.count(b"IHDR") > 1
    if colour == 3 and not damaged:
        damaged = kinds.count(b"PLTE") != 1 or kinds.index(b"PLTE") > data[0]
        damaged = damaged or not palette or len(palette) % 3 != 0 or len(palette) > 768
    if damaged:
        raise BadValue("the picture is damaged (PNG chunks)")


def _check_png_data(chunks: list[tuple[bytes, bytes]], width: int, height: int, bits: int, interlaced: bool) -> None:
    """That the compressed pixels are as many as the header promises, each row with a filter that there is."""
    sizes = [(width, height)]
    if interlaced:
        sizes = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in _ADAM7]
    passes = [(1 + (columns * bits + 7) // 8, rows) for columns, rows in sizes if columns > 0 and rows > 0]
    promised = sum(stride * rows for stride, rows in passes)
    stream = zlib.decompressobj(0)
    try:
        pixels = stream.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"), promised + 1)
    except zlib.error:
        raise BadValue("the picture is damaged (PNG image data)") from None
    if len(pixels) < promised:
        raise BadValue(f"the picture's data end early: {len(pixels):,} of {promised:,} bytes")
    if len(pixels) == promised and not stream.eof:
        raise BadValue("the picture is truncated")
    place = 0
    for stride, rows in passes:
        if max(pixels[place : place + stride * rows : stride]) > 4:
            raise BadValue("the picture is damaged (PNG filter)")
        place += stride * rows


# JPEG and GIF


def _jpeg(content: bytes, picture: Any) -> Stored:
    orientation = _orientation(picture.info["exif"]) if "exif" in picture.info else 1
    if not _is_plain_jpeg(content):
        return _rewritten(picture, [], content, orientation)
    if content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda"):  # no end of image after the last scan begins
        raise BadValue("the picture is truncated")
    if orientation == 1:
        return Stored(content, picture.width, picture.height, 1 if picture.mode == "L" else 3)
    if picture.mode not in ("L", "RGB"):
        return _rewritten(picture, [], content, orientation)
    swapped = orientation >= 5
    sampling = JpegImagePlugin.get_sampling(picture)
    tables = {number: _transposed(table) if swapped else list(table) for number, table in picture.quantization.items()}
    turned = picture.transpose(_TURNS[orientation])
    turned.info = {}
    out = io.BytesIO()
    # 4:2:2 on its side is 4:4:0, which Pillow does not write: full chroma loses nothing.
    turned.save(
        out,
        "JPEG",
        qtables=tables,
        subsampling=sampling if sampling in ((0, 2) if swapped else (0, 1, 2)) else 0,
        comment=f"{_REMARK_KEY}: {TURNED}".encode(),
    )
    return Stored(out.getvalue(), turned.width, turned.height, 1 if turned.mode == "L" else 3)


def _is_plain_jpeg(content: bytes) -> bool:
    """Whether it is baseline, extended or progressive with Huffman codes and 8 bits: what every decoder has."""
    place = 2
    while place + 10 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker in (0xC0, 0xC1, 0xC2) and content[place + 4] == 8 and content[place + 9] in (1, 3, 4)
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return False


def _transposed(table: Any) -> list[int]:
    """A quantisation table of 8 by 8 for a picture that lies on its side."""
    return [table[8 * column + row] for row in range(8) for column in range(8)]


def _check_gif(content: bytes) -> None:
    """That the file goes on to its trailer, of which its decoders take no notice."""

    def after_palette(flags: int, place: int) -> int:
        return place + (3 << (flags % 8 + 1) if flags & 0x80 else 0)

    def after_blocks(place: int) -> int:
        while content[place]:
            place += content[place] + 1
        return place + 1

    place = after_palette(content[10], 13)
    try:
        while content[place] != 0x3B:
            if content[place] == 0x2C:
                place = after_blocks(after_palette(content[place + 9], place + 10) + 1)
            elif content[place] == 0x21:
                place = after_blocks(place + 2)
            else:
                raise BadValue("the picture is damaged (GIF blocks)")
    except IndexError:
        raise BadValue("the picture is truncated") from None


# Rewriting


def _rewritten(
    picture: Any, notes: list[str], content: bytes, orientation: int | None = None, declared: int | None = None
) -> Stored:
    """As PNG: at most 8 bits, opaque, upright."""
    if orientation is None:  # a TIFF has been turned by Pillow
        exif = picture.info.get("exif") if picture.format in ("WEBP", "AVIF") else None
        orientation = _orientation(exif) if exif else 1
    picture, depth_notes = _of_8_bits(picture, content, declared)
    picture, alpha_notes = _laid_on_ground(picture)
    notes = [*notes, *depth_notes, *alpha_notes]
    if orientation != 1:
        picture, notes = picture.transpose(_TURNS[orientation]), [*notes, TURNED]
    if picture.mode not in ("1", "L", "P", "RGB"):
        picture = picture.convert("RGB")
    picture.info = {}
    about = PngImagePlugin.PngInfo()
    if notes:
        about.add_text(_REMARK_KEY, "|".join(notes))
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3, pnginfo=about)
    return Stored(out.getvalue(), picture.width, picture.height, 1 if picture.mode in ("1", "L") else 3)


def _orientation(exif: bytes) -> int:
    """1 to 8; 1, upright, also where the EXIF data cannot be read: viewers show such a picture as it lies."""
    tags = Pillow.Exif()
    try:
        tags.load(exif if exif.startswith(b"Exif\0\0") else b"Exif\0\0" + exif)
        found = tags.get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 - on damaged bytes Pillow raises nearly anything
        return 1
    return found if found in _TURNS else 1


def _of_8_bits(picture: Any, content: bytes, declared: int | None) -> tuple[Any, list[str]]:
    import numpy as np

    bits = _bits_of_tiff(picture) if picture.format == "TIFF" else ()
    if picture.mode.startswith(("I", "F")):
        if picture.format in ("PPM", "JPEG2000"):  # which Pillow has brought to the full range
            declared = 16
        elif bits:
            declared = bits[0] if bits[0] not in (8, 16, 32) else _declared_by_tiff(picture)
        values = np.asarray(picture)
    elif (picture.format == "PNG" and _depth_of_png(content) == 16) or (len(bits) > 1 and max(bits) == 16):
        values = _channels_of_16_bits(content, picture.format)
        declared = _declared_by_tiff(picture) if bits else declared
    else:
        return picture, []
    scaled, depth = to_8_bits(values, declared)
    mode = {2: "L"}.get(scaled.ndim) or {2: "LA", 3: "RGB", 4: "RGBA"}[scaled.shape[2]]
    return Pillow.fromarray(scaled, mode), [f"more than 8 bits a channel, {depth} in use; scaled to 8"]


def _depth_of_png(content: bytes) -> int:
    return content[24]


def _bits_of_tiff(picture: Any) -> tuple[int, ...]:
    return tuple(picture.tag_v2.get(258, ()))


def _declared_by_tiff(picture: Any) -> int | None:
    """The bits of the greatest value that a sample may have, where the file says that: 4095 is 12. A value that is not
    all ones is a statistic of this one picture, and the one of 16 bits is written by whoever knows no better."""
    said = picture.tag_v2.get(_S_MAX_SAMPLE_VALUE) or picture.tag_v2.get(_MAX_SAMPLE_VALUE)
    greatest = max(said) if isinstance(said, tuple) and said else said
    if not isinstance(greatest, (int, float)) or greatest not in (2**bits - 1 for bits in range(9, 16)):
        return None
    return int(greatest).bit_length()


def _channels_of_16_bits(content: bytes, kind: str) -> np.ndarray[Any, Any]:
    """uint16 `[height, width, channels]` of a coloured picture, of which Pillow would keep the upper 8 bits."""
    import av

    with av.open(io.BytesIO(content), "r", format={"PNG": "png_pipe", "TIFF": "tiff_pipe"}[kind]) as container:
        frame = next(container.decode(video=0))
        if frame.format.name.startswith("ya16"):
            return frame.reformat(format="rgba64le").to_ndarray()[..., [0, 3]]
        return frame.to_ndarray()


def _is_opaque(picture: Any) -> bool:
    if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        low, _ = picture.convert("RGBA").getchannel("A").getextrema()
        return bool(low == 255)
    return True


def _laid_on_ground(picture: Any) -> tuple[Any, list[str]]:
    if _is_opaque(picture):
        has_alpha = picture.mode not in ("1", "L", "P", "RGB") or "transparency" in picture.info
        return (picture.convert("L" if picture.mode in ("L", "LA") else "RGB") if has_alpha else picture), []
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    visible = picture.convert("RGBA")
    alpha = visible.getchannel("A")
    colours = visible.convert("RGB").convert(mode)
    on_white = Pillow.composite(colours, Pillow.new(mode, picture.size, "white"), alpha)
    extrema: Any = [band.getextrema() for band in on_white.split()]
    if min(low for low, _ in extrema) > 255 - _VANISHES and alpha.getextrema()[1] > 0:
        return Pillow.composite(colours, Pillow.new(mode, picture.size, "black"), alpha), [ON_BLACK]
    return on_white, [ON_WHITE]


def _is_constant(stored: bytes) -> bool:
    with Pillow.open(io.BytesIO(stored), formats=("PNG", "JPEG")) as picture:
        pixels = picture.convert("RGB") if picture.mode == "P" else picture
        extrema: Any = [band.getextrema() for band in pixels.split()]
    return all(low == high for low, high in extrema)
