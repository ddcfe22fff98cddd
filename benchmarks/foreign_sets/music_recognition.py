"""Music unlike the default: folk songs by their land and airs by their metre, at other rates, by other instruments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from data.media import tunes
from data.media.sound_font import SOUND_FONT, SYNTHESISER, Orchestra, Performance
from data.media.tunes import Tune
from data.sets import fiddle_tunes
from data.sets.fiddle_tunes import MUSIC21, Found
from data.sources.fetch import fetch_to_cache

COUNT = 120
"""Of each class."""
LANDS = {"China": "han1.abc", "Germany": "erk10.abc", "Lorraine": "lot.abc"}
METRES = ("2/4", "3/4", "6/8")
SONG_INSTRUMENTS = (19, 52, 68, 75, 79, 104)
"""Organ, choir, oboe, pan flute, ocarina, sitar."""


def lands(folder: Path) -> None:
    """Folk songs of three lands, eight seconds of each at 22,050 Hz."""
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MUSIC21, Path(scratch), print)
        songs = {
            land: list(fiddle_tunes.tunes_of(archive, Path(mkdtemp(dir=scratch)), ("essenFolksong",), file))
            for land, file in LANDS.items()
        }
        _play(songs, folder, Path(scratch), 8.0, 22_050)


def metres(folder: Path) -> None:
    """James Aird's airs by their metre, twelve seconds of each at 11,025 Hz."""
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(MUSIC21, Path(scratch), print)
        found = list(fiddle_tunes.tunes_of(archive, Path(mkdtemp(dir=scratch)), ("airdsAirs",)))
        airs = {metre.replace("/", "-"): [one for one in found if f" M:{metre} " in one.tokens] for metre in METRES}
        _play(airs, folder, Path(scratch), 12.0, 11_025)


def _play(songs: dict[str, list[Found]], folder: Path, scratch: Path, seconds: float, rate: int) -> None:
    performances = []
    for name, those in songs.items():
        (folder / name).mkdir(parents=True)
        rng = random.Random(name)
        for number, one in enumerate(rng.sample(those, min(COUNT, len(those)))):
            notes = [
                (float(note.begins) * 1.8, float(note.ends) * 1.8, note.pitch, 90)
                for note in tunes.played(Tune(one.tokens, one.keynote))
                if float(note.begins) * 1.8 < seconds
            ]
            path = str(folder / name / f"{number:03}.wav")
            performances.append(Performance(path, rng.choice(SONG_INSTRUMENTS), notes, seconds))
    sources: Sequence = (SYNTHESISER, SOUND_FONT)
    archives = [fetch_to_cache(source, scratch, print) for source in sources]
    Orchestra.of(archives, sources, scratch / "orchestra").play(performances, rate)


SETS = {"lands": lands, "metres": metres}
