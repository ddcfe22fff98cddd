"""Media that answers and previews are made of: how their files are named, how they begin, what the web calls them.

What is read of users is wider than this: the columns of `data/columns/` name their own suffixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MediaKind:
    """`suffix` of a file's name; `magic`: place in the content -> the bytes that stand there; `mime` as RFC 6838 has
    it, of which the part before the slash says how it is shown: `image`, `audio`, `video`."""

    suffix: str
    mime: str
    magic: Mapping[int, bytes]
    is_shown: bool = True
    """Whether browsers show or play it; else it can be saved only."""

    def begins(self, content: bytes) -> bool:
        return all(content.startswith(expected, place) for place, expected in self.magic.items())


ENCODED = "_bytes"
"""Ends the name of a model's output that is encoded media: TensorFlow Serving's REST then answers it as base64. People
see it without this end."""

KINDS = (
    MediaKind(".png", "image/png", {0: b"\x89PNG\r\n\x1a\n"}),
    MediaKind(".jpg", "image/jpeg", {0: b"\xff\xd8\xff"}),
    MediaKind(".gif", "image/gif", {0: b"GIF8"}),
    MediaKind(".webp", "image/webp", {0: b"RIFF", 8: b"WEBP"}),
    MediaKind(".wav", "audio/wav", {0: b"RIFF", 8: b"WAVE"}),
    MediaKind(".flac", "audio/flac", {0: b"fLaC"}),
    MediaKind(".ogg", "audio/ogg", {0: b"OggS"}),
    MediaKind(".mid", "audio/midi", {0: b"MThd"}, is_shown=False),
    MediaKind(".mp4", "video/mp4", {4: b"ftyp"}),
)
BY_SUFFIX: Mapping[str, MediaKind] = {kind.suffix: kind for kind in KINDS}


def kind_of(content: bytes) -> MediaKind | None:
    """What the content of a file is by its first bytes; None for texts and all else."""
    return next((kind for kind in KINDS if kind.begins(content)), None)


def data_uri(suffix: str, content: bytes) -> str:
    """A file of this suffix as an address that holds it whole."""
    import base64

    return f"data:{BY_SUFFIX[suffix].mime};base64,{base64.b64encode(content).decode()}"
