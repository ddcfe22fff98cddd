"""Tunes unlike dances: German and Chinese folk songs in ABC, files of hundreds; and Bach's chorales as MIDI files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from data.sets.fiddle_tunes import MUSIC21
from data.sources.archives import unpack
from data.sources.fetch import fetch_to_cache

CORPUS = "music21/corpus"
SONGS = ("kinder0", "erk10", "fink0", "boehme10", "han1", "han2")
"""Of the Essen collection: of children, of Germany, of China."""


def folk_songs(folder: Path) -> None:
    """Songs of one voice, as they are: without the mended bars and with metres that music21 carries them with."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MUSIC21, Path(scratch), print)
        for file in unpack(archive, Path(scratch) / "out", f"{CORPUS}/essenFolksong/*.abc"):
            if file.stem in SONGS:
                (folder / file.name).write_text(file.read_bytes().decode("utf-8", "replace"), encoding="utf-8")


def chorales(folder: Path) -> None:
    """Four voices each, of which the soprano is the highest, as music21 writes MIDI."""
    import music21

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MUSIC21, Path(scratch), print)
        for file in sorted(unpack(archive, Path(scratch) / "out", f"{CORPUS}/bach/bwv[2-4]*.mxl")):
            music21.converter.parse(file).write("midi", folder / f"{file.stem}.mid")


SETS = {"folk_songs": folk_songs, "chorales": chorales}
