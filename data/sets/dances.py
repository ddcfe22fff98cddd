"""Dances played on one instrument: fiddle tunes of five kinds, **rendered** by a sound font, ten seconds of each.

The tunes are those of `fiddle_tunes` whose files say what they are. Each is played at a random speed, in a random key,
by a random instrument, the first note of each bar a little louder. `eval/` has other tunes, none in another setting of
which is in `train/`, and other instruments: what is learnt of a dance has to hold for both. Speed tells nothing of a
kind, since all are played at like speeds.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from data.media import tunes
from data.media.sound_font import CREDIT as PLAYED_BY
from data.media.sound_font import SOUND_FONT, SYNTHESISER, Orchestra, Performance
from data.media.tunes import Tune
from data.sets import fiddle_tunes
from data.sets.fiddle_tunes import MUSIC21, Found
from data.sources.catalogue import DataSet, Source

KINDS = {
    "hornpipe": ("hornpipe",),
    "jig": ("jig", "double jig"),
    "reel": ("reel",),
    "slip jig": ("slipjig", "slip jig"),
    "strathspey": ("strathspey",),
}
"""Class -> what `R:` says."""
MOST = {"train": 130, "eval": 40}
"""Tunes of a class."""
INSTRUMENTS = {
    "train": (0, 6, 13, 21, 22, 24, 40, 46, 60, 71, 73, 105),
    "eval": (4, 11, 25, 41, 74, 110),
}
"""By General MIDI: piano, harpsichord, xylophone, accordion, harmonica, guitar, violin, harp, horn, clarinet, flute and
banjo; electric piano, vibraphone, steel guitar, viola, recorder and fiddle."""
SECONDS = 10.0
RATE = 16_000
EIGHTH_SECONDS = (0.13, 0.22)
"""Fastest and slowest."""
HIGHER = (-5, 7)
"""Semitones, lowest and highest."""
ACCENT, VELOCITY = 112, 84

DATA_SET = DataSet(
    name="dances",
    title="Dances of five kinds, fiddle tunes rendered by a sound font, ten seconds of each",
    licence=f"{fiddle_tunes.LICENCE}; GPL-2 (the sound font), MIT (the synthesiser)",
    credit=f"{fiddle_tunes.CREDIT}; {PLAYED_BY}",
    sources=((MUSIC21, SYNTHESISER, SOUND_FONT),),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/KIND/NUMBER.flac`."""
    with TemporaryDirectory(dir=target.parent) as scratch:
        found = list(fiddle_tunes.tunes_of(archives[0], Path(scratch), fiddle_tunes.COLLECTIONS))
        performances = []
        for (split, kind), mine in chosen(found).items():
            folder = target / split / kind
            folder.mkdir(parents=True)
            for number, one in enumerate(mine):
                performances.append(performance(one, split, folder / f"{number:03}.flac"))
        Orchestra.of(archives, sources, Path(scratch) / "orchestra").play(performances, RATE)


def chosen(found: Sequence[Found]) -> dict[tuple[str, str], list[Found]]:
    """The tunes of each split and class."""
    classes = {said: kind for kind, those in KINDS.items() for said in those}
    mine: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one, split in zip(found, fiddle_tunes.sides_of(found), strict=True):
        if one.kind in classes:
            mine[split, classes[one.kind]].append(one)
    return {
        key: random.Random(f"{key}").sample(those, min(len(those), MOST[key[0]])) for key, those in sorted(mine.items())
    }


def performance(one: Found, split: str, path: Path) -> Performance:
    """How a tune is played; the same each time."""
    rng = random.Random(one.name)
    seconds_a_whole = 8 * rng.uniform(*EIGHTH_SECONDS)
    higher = rng.randint(*HIGHER)
    notes = []
    for begins, ends, pitch, is_first in tunes.played(Tune(one.tokens, one.keynote)):
        start = float(begins) * seconds_a_whole
        if start < SECONDS:
            end = float(ends) * seconds_a_whole
            notes.append((round(start, 4), round(end, 4), pitch + higher, ACCENT if is_first else VELOCITY))
    return Performance(str(path), rng.choice(INSTRUMENTS[split]), notes, SECONDS)
