"""Sound files to the one form that is stored: 16-bit PCM mono WAV at the file's own rate.

FFmpeg decodes all but plain WAV, packet by packet to the end of the file. What a header says of the length is never
used to stop, only as a promise: a file that holds less is cut.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

# Others, such as playlists, would have FFmpeg open what they name.
_CONTAINERS = "wav,aiff,au,caf,nistsphere,flac,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2,aac,amr,matroska,webm,asf"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none", "max_size": "262144"}
_MISREAD = ("g726", "g726le")
"""What FFmpeg takes a WAV of G.721 for: it decodes noise."""
_UNKNOWN_LENGTH = 0x7FFFF000
"""Bytes: what is written through a pipe has this or more in its header (0x7FFFFFFF, 0xFFFFFFFF), or 0."""
_MISCOUNT = 64
"""Bytes: some recorders count the header in."""
_PACKETS_LOST = 2
"""MP3 and AAC streams may end in tags that look like sound."""


def as_wav(content: bytes, min_seconds: float, max_seconds: float) -> tuple[bytes, float, int, int]:
    """The sound as a WAV file, its length in seconds, its rate in Hz and the number of channels that it had.

    Channels are averaged. 16-bit mono sounds keep their samples bit by bit. Decoding ends soon after `max_seconds`, so
    that memory does not grow with longer files.

    Raises:
      BadValue: it cannot be decoded to its end, holds less than its header promises, or is too short or too long.
    """
    _check_length(content)
    low, high = f"{min_seconds:g}", f"{max_seconds:g}"
    sound = _plain(content)
    if sound is None:
        sound = _decoded(content, max_seconds)
    samples, rate, channels = sound
    if len(samples) > max_seconds * rate:
        raise BadValue(f"longer than {high} seconds; must be {low} to {high}")
    if not len(samples):
        raise BadValue("the file holds no sound")
    if len(samples) < min_seconds * rate:
        raise BadValue(f"{len(samples) / rate:.2f} seconds; must be {low} to {high}")
    return wav_of(samples.astype("<i2").tobytes(), rate), len(samples) / rate, rate, channels


def wav_of(samples: bytes, rate: int) -> bytes:
    """16-bit mono samples, little-endian, as WAV."""
    stored = io.BytesIO()
    with wave.open(stored, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return stored.getvalue()


def _plain(content: bytes) -> tuple[np.ndarray[Any, Any], int, int] | None:
    """int16 samples, rate and channels of a WAV that is what is stored already, which takes no decoder; else None."""
    import numpy as np

    try:
        with wave.open(io.BytesIO(content)) as file:
            size = 2 * file.getnframes()
            if (file.getnchannels(), file.getsampwidth()) != (1, 2) or not 0 < size < _UNKNOWN_LENGTH:
                return None
            data = file.readframes(file.getnframes())
            rate = file.getframerate()
    except (wave.Error, EOFError, ValueError, OSError):
        return None
    return (np.frombuffer(data[: len(data) // 2 * 2], "<i2"), rate, 1) if rate > 0 else None


def _decoded(content: bytes, max_seconds: float) -> tuple[np.ndarray[Any, Any], int, int]:
    """int16 samples, the mean of the channels, the rate and the channels there were; soon after `max_seconds` no more.

    Raises:
      BadValue: as `as_wav`.
    """
    import av
    import numpy as np

    blocks: list[Any] = []
    rate, channels, samples = 0, 0, 0
    try:
        with av.open(io.BytesIO(content), "r", options=_OPTIONS) as container:
            promised = _promised_seconds(container)
            for frame in _frames(container):
                rate, channels = rate or frame.sample_rate, channels or frame.layout.nb_channels
                if frame.sample_rate != rate:
                    raise BadValue("the sound changes its rate on the way; convert it to WAV")
                blocks.append(_mono(frame))
                samples += len(blocks[-1])
                if samples > max_seconds * rate:
                    break
            else:
                _check_promise(content, samples, rate, promised)
    except BadValue:
        raise
    except (av.FFmpegError, EOFError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise BadValue(f"the sound cannot be decoded ({what}); mend it, or convert it to WAV or FLAC") from None
    return (np.concatenate(blocks) if blocks else np.empty(0, np.int16)), rate, channels


def _frames(container: Any) -> Iterator[Any]:
    """Of the first sound in the file, as FFmpeg decodes them."""
    import av

    if not container.streams.audio:
        raise BadValue("the file holds no sound")
    stream = container.streams.audio[0]
    if stream.codec_context.name in _MISREAD:
        raise BadValue(f"a sound in {stream.codec_context.name}; convert it to WAV with PCM samples")
    lost = 0
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.InvalidDataError:
            lost += 1
            if stream.codec_context.name not in ("mp3", "mp3float", "aac") or lost > _PACKETS_LOST:
                raise
            continue
        yield from decoded


def _mono(frame: Any) -> np.ndarray[Any, Any]:
    """int16 `[samples]`, the mean of the channels.

    Raises:
      BadValue: samples are not finite.
    """
    import numpy as np

    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if values.dtype == np.int16 and len(values) == 1:
        return np.asarray(values[0])
    if values.dtype == np.uint8:
        values = (values.astype(np.float32) - 128) / 128
    elif values.dtype.kind == "i":
        values = values.astype(np.float64) / -float(np.iinfo(values.dtype).min)
    mean = values.mean(axis=0)
    if not np.isfinite(mean).all():
        raise BadValue("some samples are no numbers (NaN or infinite); write the file anew, as 16-bit WAV or FLAC")
    return np.clip(np.round(mean * 32768), -32768, 32767).astype(np.int16)


def _check_length(content: bytes) -> None:
    """That a WAV, AIFF, AU or CAF file holds the bytes of sound that its header promises, an OGG file its last page."""
    if content[:4] in (b"RIFF", b"RF64", b"RIFX", b"FORM", b"caff"):
        promised, there = _chunk_of_sound(content)
        _check_bytes(promised, there)
    if content[:4] == b".snd":
        start, size = (int.from_bytes(content[at : at + 4], "big") for at in (4, 8))
        _check_bytes(size, len(content) - start)
    if content[:4] == b"OggS":
        page = content.rfind(b"OggS")
        segments = content[page + 26] if page + 26 < len(content) else 255
        body = page + 27 + segments
        if body + sum(content[page + 27 : body]) > len(content):
            raise BadValue("the file is cut short, within a page")


def _chunk_of_sound(content: bytes) -> tuple[int, int]:
    """Bytes that the header promises and bytes that are there, of the chunk with the samples."""
    order: Literal["big", "little"] = "big" if content[:4] in (b"RIFX", b"FORM", b"caff") else "little"
    place, width = (8, 8) if content[:4] == b"caff" else (12, 4)
    long_size = 0
    while place + 4 + width <= len(content):
        kind, body = content[place : place + 4], place + 4 + width
        size = int.from_bytes(content[place + 4 : body], order)
        if kind == b"ds64":
            long_size = int.from_bytes(content[body + 8 : body + 16], "little")
        if kind in (b"data", b"SSND"):
            return (long_size if content[:4] == b"RF64" and size == 0xFFFFFFFF else size), len(content) - body
        place = body + size + (size % 2 if width == 4 else 0)
    raise BadValue("the file is cut short: it ends before its sound begins")


def _check_bytes(promised: int, there: int) -> None:
    if 0 < promised < _UNKNOWN_LENGTH and promised > there + _MISCOUNT:
        raise BadValue(f"the file is cut short: {there:,} of {promised:,} bytes of sound")


def _promised_seconds(container: Any) -> float:
    """What a container says of its length that states it, else 0: of others FFmpeg estimates."""
    if (
        container.format.name.partition(",")[0] not in ("mov", "matroska", "asf", "nistsphere")
        or not container.duration
    ):
        return 0.0
    return float(container.duration) / 1e6


def _check_promise(content: bytes, samples: int, rate: int, seconds: float) -> None:
    promised = int(seconds * rate * 0.98 - rate / 4)
    if content[:4] == b"fLaC":
        promised = (content[21] & 0xF) << 32 | int.from_bytes(content[22:26], "big")
    elif found := _mp3_samples(content):
        promised = int(found * 0.98) - 4 * 1152  # an encoder's delay and padding are left out
    if rate and samples < promised:
        raise BadValue(f"the file is cut short: {samples / rate:.2f} of about {promised / rate:.2f} seconds")


def _mp3_samples(content: bytes) -> int:
    """What an MP3's Xing or Info header says of its length, 0 without one."""
    start = 0
    if content[:3] == b"ID3":
        size = content[6:10]
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))
    head = content[start : start + 64]
    if len(head) < 64 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    place = max(head.find(b"Xing"), head.find(b"Info"))
    if place < 0 or not head[place + 7] & 1:
        return 0
    return int.from_bytes(head[place + 8 : place + 12], "big") * (1152 if head[1] & 0x08 else 576)
