"""Bad records as a person would see them: what still lies in the data folder, in a form that every page can show.

No byte of such a file reaches a page as it is: pictures are decoded here, as far as they go, and drawn small, sounds
are decoded and written anew, texts are cut. What cannot be decoded is said to be what it is.
"""

from __future__ import annotations

import io
import itertools
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import BadValue
from data.folders.files import BadFile, Inside
from data.folders.verdict import describe
from data.media import kinds
from data.media.pictures import FORMATS
from data.media.sounds import as_wav
from trainer.preview import Part, Picture, Preview, Sound, Words

SHOWN = 24
"""The first ones."""
MAX_BYTES = 8 * 2**20
MAX_PIXELS = 25_000_000
MAX_SECONDS = 600
LETTERS = 500
TABLES = (".csv", ".tsv", ".jsonl")
"""In which a row is a line, as the quarantine counts."""


def previews(folder: Path | str, bad: Sequence[Mapping[str, Any]]) -> list[Preview]:
    """Of the first bad records, each with file, row, column, reason and attack; what was an attack is not opened."""
    inside = Inside(folder)
    return [
        Preview(
            describe(one["file"], one["row"], one["column"], one["reason"]), None, {}, [_part(inside, str(folder), one)]
        )
        for one in bad[:SHOWN]
    ]


def _part(inside: Inside, folder: str, bad: Mapping[str, Any]) -> Part:
    if bad.get("attack"):
        return Words("A path that leads out of the data folder: it was not opened.")
    name = bad["file"]
    try:
        with inside.open(folder, name) as stream:
            if bad["row"] is not None:
                return _row(stream, name, bad["row"])
            content = stream.read(MAX_BYTES + 1)
    except (BadFile, OSError) as error:
        return Words(f"It cannot be shown: {error}.")
    if len(content) > MAX_BYTES:
        return Words(f"A file of more than {MAX_BYTES // 2**20} MiB, which is not shown.")
    return _picture(content) or _sound(name, content) or _text(content) or Words(_said(content))


def _row(stream: Any, table: str, row: int) -> Part:
    """The line of a table, where its rows are lines."""
    if not table.lower().endswith(TABLES):
        return Words(f"Row {row} of {table}.")
    lines = io.BufferedReader(stream)
    line = next(itertools.islice(iter(lambda: lines.readline(MAX_BYTES), b""), row - 1, None), b"")
    return _text(line.rstrip()) or Words(f"Row {row} of {table} is empty or no text.")


def _picture(content: bytes) -> Part | None:
    """Drawn small, as far as it can be decoded; None for what is no picture, or of too many pixels."""
    from PIL import Image

    with _whatever_is_there():
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    return Words(f"A picture of {picture.width} x {picture.height} pixels, which is not drawn.")
                out = io.BytesIO()
                said = f"{picture.format}, {picture.width} x {picture.height}"
                picture.convert("RGBA" if "A" in picture.mode else "RGB").save(out, "PNG")
        except Exception:  # noqa: BLE001 - on damaged bytes Pillow raises nearly anything: it is none, then
            return None
    return Picture(out.getvalue(), said)


@contextmanager
def _whatever_is_there() -> Iterator[None]:
    """Within it Pillow gives the part of a picture that a file holds which is cut off."""
    from PIL import ImageFile

    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _sound(name: str, content: bytes) -> Part | None:
    kind = kinds.kind_of(content)
    said = kind.mime if kind else mimetypes.guess_type(name)[0] or ""
    if not said.startswith("audio/"):
        return None
    try:
        return Sound.of_file(as_wav(content, 0, MAX_SECONDS)[0])
    except BadValue:
        return None


def _text(content: bytes) -> Part | None:
    """Its beginning, where it is one: bytes that are not UTF-8 stand as \N{REPLACEMENT CHARACTER}."""
    text = content[: 4 * LETTERS].decode("utf-8", "replace")[:LETTERS]
    strange = sum(not letter.isprintable() and letter not in "\t\r\n" or letter == "\ufffd" for letter in text)
    return Words(text) if text.strip() and strange <= len(text) / 10 else None


def _said(content: bytes) -> str:
    if not content:
        return "The file is empty."
    kind = kinds.kind_of(content)
    begins = f"begins as {kind.mime} does" if kind else f"begins with {content[:8].hex(' ')}"
    return f"A file of {len(content):,} bytes that {begins} and cannot be shown."
