"""Noise to be mixed with sounds in training, from recordings that lie beside them."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from data.columns.audio import Audio
from data.columns.base import Column, Feature, Value, show
from data.errors import BadValue, DataRefused

FOLDER = "_background_noise_"
"""What Speech Commands (Warden 2018) calls the folder."""

LONGEST_SECONDS = 600.0
"""Of a recording of noise."""


@dataclass(frozen=True, kw_only=True)
class Backdrop(Column):
    """A stretch of noise beside the sound `of`, `seconds` long, as 16-bit mono WAV: another one for each record, cut
    out of the recordings in the folder FOLDER at the top of the data, or in `train/`. Without such a folder there is
    none.

    No class and no record: for training alone, in which sounds are mixed with it.
    """

    noun: ClassVar[str] = "noise"
    in_folder: ClassVar[bool] = False
    in_form: ClassVar[bool] = False
    beside: ClassVar[tuple[str, ...]] = (FOLDER,)
    optional: bool = True
    of: str
    seconds: float
    recordings: tuple[bytes, ...] = field(default=(), repr=False, compare=False)

    def as_in(self, folder: Path) -> Backdrop:
        found = next((path for path in (folder / FOLDER, folder / "train" / FOLDER) if path.is_dir()), None)
        return self if found is None else replace(self, recordings=tuple(_recordings(found)))

    def features(self, name: str) -> dict[str, Feature]:
        return {name: Feature("bytes", counted=False, optional=self.optional)}

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not isinstance(value, bytes):
            raise BadValue(f"expected a sound, got {show(value)}")
        return {name: value}

    def derive(self, name: str, features: Mapping[str, Value], digest: bytes) -> dict[str, Value]:
        if not self.recordings:
            return {}
        drawn = int.from_bytes(digest[:8], "big")
        return self.encode(name, _stretch(self.recordings[drawn % len(self.recordings)], self.seconds, drawn >> 16))


def _recordings(folder: Path) -> list[bytes]:
    """As 16-bit mono WAV, those of the suffixes of sounds, by name.

    Raises:
      DataRefused: one cannot be read.
    """
    kind = Audio(max_seconds=LONGEST_SECONDS)
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in kind.suffixes and path.is_file() and not path.is_symlink():
            try:
                wav = kind.encode("noise", path.read_bytes())["noise"]
            except BadValue as error:
                raise DataRefused(f"{path}: {error}", "Mend it, or take it away: it is mixed with sounds.") from None
            assert isinstance(wav, bytes)
            found.append(wav)
    return found


def _stretch(recording: bytes, seconds: float, drawn: int) -> bytes:
    """So much of it from a place that `drawn` decides; all of a shorter one."""
    from data.media.sounds import wav_of

    with wave.open(io.BytesIO(recording)) as sound:
        rate, count = sound.getframerate(), sound.getnframes()
        wanted = min(round(seconds * rate), count)
        sound.setpos(drawn % (count - wanted + 1))
        return wav_of(sound.readframes(wanted), rate)
