"""A few frames of a film, evenly spread over its time, each as a JPEG of bounded size."""

from __future__ import annotations

import contextlib
import io
import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image as Pillow

from data.errors import BadValue

# Others, such as playlists, would have FFmpeg open what they name.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,flv,asf,ogg,gif"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
_QUALITY = 90
_NOT_CUT = 0.9
"""A film that ends before this share of the length that its header promises is cut; and of its frames so many must be
whole."""
_LAST = 0.5
"""Seconds by which the length that a header promises may be wrong besides."""
_CLOCK_OF_CONTAINERS = 1e6
"""A second in the units of FFmpeg's own times."""
_ONE_FRAME = 0.04
"""Seconds that a film of one frame lasts where it does not say so."""
_MAX_PIXELS = 8192 * 8192
"""Of a frame."""
_READ_THROUGH = 3000
"""Films of more frames are not decoded from end to end: the file is sought through."""


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


@dataclass(frozen=True)
class _Clock:
    """When a film begins, and its length, in seconds, and its number of frames; `keys` are the times from which it can
    be decoded, ascending."""

    start: float
    seconds: float
    frames: int
    keys: Sequence[float]


def sample_frames(
    source: bytes | BinaryIO, count: int, max_side: int, max_seconds: float, min_seconds: float = 0.0
) -> Film:
    """Frames of a film (MP4, MOV, WebM, MKV, AVI, MPEG, WMV, FLV, animated GIF), spread evenly over its time.

    The frames are those shown at the middle of `count` equal parts of the film, by the times at which they are shown,
    so that films of changing rates are sampled evenly too. Of several streams of pictures the largest is taken, and no
    cover. Two decoded frames at most are in memory at once, and 8 bytes for each frame of the file.

    Args:
      source: content, or a file from its beginning, which is read piece by piece.
      count: frames, at least 1; a film of fewer gives as many as it has.
      max_side: pixels; larger frames are shrunk to it, in their proportions.
      max_seconds: longer films are refused before they are decoded.

    Raises:
      BadValue: it cannot be decoded, holds no picture, is cut, or is too short or too long.
    """
    import av

    try:
        with _opened(source) as container:
            clock = _clock(container, _stream(container))
        if not min_seconds <= clock.seconds <= max_seconds:
            raise BadValue(f"{clock.seconds:.2f} seconds; must be {min_seconds:g} to {max_seconds:g}")
        count = min(count, clock.frames)
        middles = [clock.start + (part + 0.5) * clock.seconds / count for part in range(count)]
        with _opened(source) as container:
            stream, shrunk = _stream(container), _Shrinking(max_side)
            shown = _sought if clock.frames > _READ_THROUGH else _read_through
            pictures = [shrunk.upright(frame, stream) for frame in shown(container, stream, middles, clock)]
    except (av.FFmpegError, EOFError) as error:
        what = error.strerror if isinstance(error, av.FFmpegError) else "it ends early"
        raise BadValue(f"the video cannot be decoded ({what}); mend it, or convert it to MP4") from None
    if not pictures:
        raise BadValue("the video holds no frame that can be decoded")
    (width, height), source_size = pictures[0][0].size, pictures[0][1]
    frames = [
        _jpeg(picture if picture.size == (width, height) else picture.resize((width, height)))
        for picture, _ in pictures
    ]
    return Film(frames, clock.seconds, clock.frames / clock.seconds, width, height, *source_size)


def pack(frames: Sequence[bytes]) -> bytes:
    """The JPEGs one behind the other: motion JPEG, of which viewers of pictures show the first frame.

    No decoder is needed to take them apart again: inside a JPEG as Pillow writes it, no end is followed by a beginning.
    `trainer.features.videos.decode` does so inside a TensorFlow graph.
    """
    return b"".join(frames)


def _opened(source: bytes | BinaryIO) -> Any:
    import av

    if isinstance(source, bytes):
        source = io.BytesIO(source)
    if not source.seek(0, io.SEEK_END):
        raise BadValue("the file is empty")
    source.seek(0)
    return av.open(source, "r", options=_OPTIONS)


def _stream(container: Any) -> Any:
    """The stream of the largest pictures, the first of equal ones; a cover is none."""
    from av.stream import Disposition

    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise BadValue("the file holds no pictures" if not container.streams.video else "the file holds but a cover")
    stream = max(moving, key=lambda one: one.codec_context.width * one.codec_context.height)
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > _MAX_PIXELS:
        raise BadValue(f"frames of {width} x {height} pixels are too large")
    stream.codec_context.thread_count = 1  # as many films are decoded at once as there are cores
    return stream


def _clock(container: Any, stream: Any) -> _Clock:
    """From the times of its packets, without decoding any."""
    first, last, packets, unit, keys, end = math.inf, -math.inf, 0, 0.0, array("d"), 0.0
    for packet in container.demux():
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not packet.size or stamp is None:
            continue
        time = float(stamp * packet.time_base)
        end = max(end, time - (container.start_time or 0) / _CLOCK_OF_CONTAINERS)
        if packet.stream_index != stream.index:
            continue
        first, last, packets = min(first, time), max(last, time), packets + 1
        unit = float((packet.duration or 0) * packet.time_base) or unit
        if packet.is_keyframe:
            keys.append(time)
    if not packets:
        raise BadValue("the video holds no frame that can be decoded")
    seconds = last - first + (unit or (last - first) / max(1, packets - 1) or _ONE_FRAME)
    if stream.duration:
        promised, there = float(stream.duration * stream.time_base), seconds
    else:  # Matroska: of its longest stream, as of a sound that goes on
        promised, there = (container.duration or 0) / _CLOCK_OF_CONTAINERS, max(seconds, end)
    if there < promised * _NOT_CUT - _LAST:
        raise BadValue(f"the file is cut short: {there:.2f} of {promised:.2f} seconds")
    return _Clock(first, seconds, packets, sorted(keys))


def _read_through(container: Any, stream: Any, times: list[float], clock: _Clock) -> Iterator[Any]:
    """The decoded frame that is shown at each of these ascending times. Damaged ones are passed over.

    Raises:
      BadValue: too many are damaged.
    """
    wanted, held, decoded, damaged = list(times), None, 0, 0
    for packet in container.demux(stream):
        frames = _decoded(packet) if wanted else ()
        damaged += frames is None
        for frame in frames or ():
            time = float(frame.time) if frame.time is not None else clock.start + decoded * clock.seconds / clock.frames
            decoded += 1
            while held is not None and wanted and time > wanted[0]:
                yield held
                wanted.pop(0)
            held = frame
        if not wanted:
            break
    if damaged > (1 - _NOT_CUT) * clock.frames + 1:
        raise BadValue(f"{damaged} of {clock.frames} frames cannot be decoded; mend it, or convert it to MP4")
    if held is not None:
        yield from (held for _ in wanted)


def _sought(container: Any, stream: Any, times: list[float], clock: _Clock) -> Iterator[Any]:
    """As `_read_through`, of a long film, of which only what is between a key frame and a wanted one is decoded."""
    frames: Iterator[Any] = iter(())
    place, held, ahead = -math.inf, None, None
    for wanted in times:
        key = clock.keys[max(0, bisect_right(clock.keys, wanted) - 1)] if clock.keys else clock.start
        if key > place:
            container.seek(int(key / stream.time_base), stream=stream)
            frames, ahead = (frame for packet in container.demux(stream) for frame in _decoded(packet) or ()), None
        while ahead is None or ahead.time <= wanted:
            held = ahead or held
            ahead = next((frame for frame in frames if frame.time is not None), None)
            if ahead is None:
                break
        held = held or ahead
        if held is None:
            raise BadValue(f"the frame at {wanted:.0f} seconds cannot be decoded; mend it, or convert it to MP4")
        place = wanted
        yield held


def _decoded(packet: Any) -> list[Any] | None:
    """The frames that a packet completes; None where it is damaged."""
    import av

    with contextlib.suppress(av.FFmpegError):
        frames = packet.decode()
        return None if any(frame.is_corrupt for frame in frames) else frames
    return None


class _Shrinking:
    """Frames to pictures with no side above `max_side` pixels."""

    def __init__(self, max_side: int) -> None:
        from av.video.reformatter import VideoReformatter

        self._max_side, self._scaler = max_side, VideoReformatter()

    def upright(self, frame: Any, stream: Any) -> tuple[Pillow.Image, tuple[int, int]]:
        """The frame as RGB, of square pixels, and its own width and height, both upright."""
        aspect = float(stream.sample_aspect_ratio or 1)
        size = (max(1, round(frame.width * aspect)) if 1 / 8 <= aspect <= 8 else frame.width, frame.height)
        scale = min(1.0, self._max_side / max(size))
        width, height = (max(1, round(side * scale)) for side in size)
        pixels = self._scaler.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
        picture = Pillow.fromarray(pixels)
        turned = int(frame.rotation) % 360
        if turned % 90:
            turned = 0
        source = size if turned % 180 == 0 else size[::-1]
        return picture.rotate(turned, expand=True) if turned else picture, source


def _jpeg(picture: Pillow.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
