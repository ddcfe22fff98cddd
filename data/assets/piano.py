"""The notes of a piano, one for each pitch from C3 to C7: what tunes that a model writes are played with.

Tensors: `notes` float32 `[49, 35280]` in -1 to 1: 1.6 s of each pitch from MIDI's 48 on, 22,050 Hz.

In its place a person may give a sound font of their own (.sf2), whose first instrument plays then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from data.errors import BadFile, BenisonError
from data.media.sound_font import CREDIT, SOUND_FONT, SYNTHESISER, Orchestra, Performance
from data.sources.assets import FILE, Asset
from data.sources.fetch import Source, fetch_to_cache
from data.sources.shelf import silent

LOWEST, PITCHES = 48, 49
RATE = 22_050
SECONDS = 1.6
VELOCITY = 90

ASSET = Asset(
    name="piano",
    title="49 notes of a piano, out of the sound font TimGM6mb",
    licence="GPL-2 (the sound font), MIT (the synthesiser)",
    credit=CREDIT,
    sources=((SYNTHESISER, SOUND_FONT),),
    tensors={"notes": (PITCHES, round(SECONDS * RATE))},
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes the tensor that this module's docstring names."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as scratch:
        orchestra = Orchestra.of(archives, sources, Path(scratch))
        np.savez(target / FILE, notes=_notes(orchestra, Path(scratch)))


def from_own(file: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The same tensor, of a person's sound font.

    Raises:
      BadFile: it is no sound font.
      BenisonError: the synthesiser cannot be had.
    """
    with file.open("rb") as stream:
        head = stream.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise BadFile("it is no sound font: it begins otherwise than .sf2 files do")
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(SYNTHESISER, Path(scratch), silent)
        library = Orchestra.of([archive], [SYNTHESISER], Path(scratch)).library
        try:
            return {"notes": _notes(Orchestra(library, file), Path(scratch))}
        except BenisonError as error:
            raise BadFile(f"its first instrument cannot be played ({error.message})") from error


def _notes(orchestra: Orchestra, scratch: Path) -> np.ndarray[Any, Any]:
    import soundfile

    paths = [str(scratch / f"{pitch}.wav") for pitch in range(LOWEST, LOWEST + PITCHES)]
    orchestra.play(
        [Performance(path, 0, [(0.0, SECONDS, LOWEST + place, VELOCITY)], SECONDS) for place, path in enumerate(paths)],
        RATE,
    )
    return np.stack([soundfile.read(path, dtype="float32")[0] for path in paths])
