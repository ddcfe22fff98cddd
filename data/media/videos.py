"""A few frames of a film, evenly spread over its time, each as a JPEG of bounded size."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow

from data.errors import BadValue

# Others, such as playlists, would have FFmpeg open what they name.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,flv,asf,ogg,gif"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
_QUALITY = 90
_NOT_CUT = 0.9
"""A film that ends before this share of the length that its header promises is cut."""
_ONE_FRAME = 0.04
"""Seconds that a film of one frame lasts where it does not say so."""


@dataclass(frozen=True)
class Film:
    """What was taken of a film.

    `frames` are JPEGs, all `width` by `height` pixels, upright; `seconds` is the length of the whole film,
    `rate` its mean frames a second, `source_width` and `source_height` its size upright before it was shrunk.
    """

    frames: list[bytes]
    seconds: float
    rate: float
    width: int
    height: int
    source_width: int
    source_height: int


def sample_frames(content: bytes, count: int, max_side: int, max_seconds: float, min_seconds: float = 0.0) -> Film:
    """Frames of a film (MP4, MOV, WebM, MKV, AVI, MPEG, animated GIF), spread evenly over its time.

    The frames are those shown at the middle of `count` equal parts of the film, by the times at which they are shown,
    so that films of changing rates are sampled evenly too. Two decoded frames at most are in memory at once.

    Args:
      count: frames, at least 1; a film of fewer gives as many as it has.
      max_side: pixels; larger frames are shrunk to it, in their proportions.
      max_seconds: longer films are refused before they are decoded.

    Raises:
      BadValue: it cannot be decoded, holds no picture, is cut, or is too short or too long.
    """
    import av

    try:
        with av.open(io.BytesIO(content), "r", options=_OPTIONS) as container:
            start, seconds, packets, promised = _clock(container)
        if seconds < promised * _NOT_CUT - 0.5:
            raise BadValue(f"the file is cut short: {seconds:.2f} of {promised:.2f} seconds")
        if not min_seconds <= seconds <= max_seconds:
            raise BadValue(f"{seconds:.2f} seconds; must be {min_seconds:g} to {max_seconds:g}")
        count = min(count, packets)
        middles = [start + (part + 0.5) * seconds / count for part in range(count)]
        with av.open(io.BytesIO(content), "r", options=_OPTIONS) as container:
            pictures = [_upright(frame, max_side) for frame in _shown_at(container, middles, packets / seconds)]
    except (av.FFmpegError, EOFError) as error:
        what = error.strerror if isinstance(error, av.FFmpegError) else "it ends early"
        raise BadValue(f"the video cannot be decoded ({what}); mend it, or convert it to MP4") from None
    if not pictures:
        raise BadValue("the video holds no frame that can be decoded")
    (width, height), source = pictures[0][0].size, pictures[0][1]
    frames = [_jpeg(picture.resize((width, height))) for picture, _ in pictures]
    return Film(frames, seconds, packets / seconds, width, height, *source)


def pack(frames: Sequence[bytes]) -> bytes:
    """The JPEGs one behind the other: motion JPEG, of which viewers of pictures show the first frame.

    No decoder is needed to take them apart again: inside a JPEG as Pillow writes it, no end is followed by a beginning.
    `trainer.features.videos.decode` does so inside a TensorFlow graph.
    """
    return b"".join(frames)


def _clock(container: Any) -> tuple[float, float, int, float]:
    """When the film begins, its length, both in seconds, its number of frames, and the length its header promises.

    From the times of its packets, without decoding any.
    """
    if not container.streams.video:
        raise BadValue("the file holds no pictures")
    stream = container.streams.video[0]
    first, last, packets, unit = math.inf, -math.inf, 0, 0.0
    for packet in container.demux(stream):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not packet.size or stamp is None:
            continue
        time = float(stamp * packet.time_base)
        first, last, packets = min(first, time), max(last, time), packets + 1
        unit = float((packet.duration or 0) * packet.time_base) or unit
    if not packets:
        raise BadValue("the video holds no frame that can be decoded")
    seconds = last - first + (unit or (last - first) / max(1, packets - 1) or _ONE_FRAME)
    return first, seconds, packets, float(stream.duration * stream.time_base) if stream.duration else 0.0


def _shown_at(container: Any, times: list[float], rate: float) -> Iterator[Any]:
    """The decoded frame that is shown at each of these ascending times."""
    wanted, held = list(times), None
    for number, frame in enumerate(container.decode(video=0)):
        time = float(frame.time) if frame.time is not None else number / rate
        while held is not None and wanted and time > wanted[0]:
            yield held
            wanted.pop(0)
        if not wanted:
            return
        held = frame
    if held is not None:
        yield from (held for _ in wanted)


def _upright(frame: Any, max_side: int) -> tuple[Pillow.Image, tuple[int, int]]:
    """The frame as RGB with no side above `max_side`, and its own width and height, both upright."""
    scale = min(1.0, max_side / max(frame.width, frame.height))
    width, height = (max(1, round(side * scale)) for side in (frame.width, frame.height))
    picture = frame.to_image(width=width, height=height)
    turned = int(frame.rotation) % 360
    if turned % 90:
        turned = 0
    source = (frame.width, frame.height) if turned % 180 == 0 else (frame.height, frame.width)
    return picture.rotate(turned, expand=True) if turned else picture, source


def _jpeg(picture: Pillow.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
