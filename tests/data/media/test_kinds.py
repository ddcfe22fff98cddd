"""Each kind of media is known by its first bytes, as the libraries that write it write them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from data.media import midis
from data.media.kinds import BY_SUFFIX, KINDS, data_uri, kind_of


def picture(form: str, frames: int = 1) -> bytes:
    stream = io.BytesIO()
    first, *rest = (Image.new("RGB", (4, 3), (40 * i, 0, 0)) for i in range(frames))
    first.save(stream, form, **({"save_all": True, "append_images": rest} if rest else {}))
    return stream.getvalue()


def sound(form: str, subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(800, np.float32), 8000, format=form, subtype=subtype)
    return stream.getvalue()


WRITTEN = {
    ".png": lambda: picture("PNG"),
    ".jpg": lambda: picture("JPEG"),
    ".gif": lambda: picture("GIF", frames=3),
    ".webp": lambda: picture("WEBP", frames=3),
    ".wav": lambda: sound("WAV"),
    ".flac": lambda: sound("FLAC"),
    ".ogg": lambda: sound("OGG", "VORBIS"),
    ".mid": lambda: midis.midi("on_60 wait_50 off_60"),
    ".mp4": lambda: b"\x00\x00\x00\x20ftypisom",
}


@pytest.mark.parametrize("suffix", BY_SUFFIX)
def test_what_is_written_is_known_by_its_first_bytes(suffix: str) -> None:
    content = WRITTEN[suffix]()
    kind = kind_of(content)
    assert kind is not None and kind.suffix == suffix
    assert kind_of(content[:3]) is None or suffix == ".jpg", "too short to be told"
    assert data_uri(suffix, content).startswith(f"data:{kind.mime};base64,")


def test_each_suffix_and_each_name_of_the_web_stands_once() -> None:
    assert len(BY_SUFFIX) == len({kind.mime for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("text", ["", "RIFF", "a text", "GIF", "RIFF1234AVI ", "ftyp", "Grüße"])
def test_a_text_is_no_media(text: str) -> None:
    assert kind_of(text.encode()) is None
