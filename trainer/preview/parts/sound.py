"""A sound, with its wave and its spectrogram, or with the notes that are played in it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Required, Self, TypedDict

import numpy as np

from data.media.sounds import wav_of
from data.shapes import finite
from trainer.preview.part import COLOURS, Page, Part, Place, Record, Shown_co
from trainer.preview.parts.picture import decoded
from trainer.preview.piano_roll import piano_roll, seconds_of
from trainer.preview.wording import number

MAX_SECONDS = 10
"""Sounds are cut to it on disk."""
WAVE_BINS = 160
SPECTROGRAM_FRAMES, SPECTROGRAM_HEIGHT = 400, 100

_Level = Annotated[float, finite]


class SoundRecord(TypedDict, total=False):
    """`top_hz`: the highest pitch of the spectrogram; `wave`: lowest and highest sample of each stretch; `roll`: the
    picture of its notes, which is `roll_seconds` wide."""

    kind: Required[str]
    caption: Required[str]
    file: Required[str]
    roll: str
    roll_seconds: _Level
    spectrogram: str
    top_hz: _Level
    seconds: Required[_Level]
    shown_seconds: Required[_Level]
    wave: list[tuple[_Level, _Level]]


@dataclass(frozen=True)
class Sound(Part):
    """`samples`: float32 `[n]` in -1 to 1; `rate` in Hz; `notes`, as `piano_roll` takes them, are shown in place of
    wave and spectrogram."""

    samples: np.ndarray
    rate: int
    caption: str = ""
    notes: np.ndarray | None = None

    kind: ClassVar[str] = "sound"
    form: ClassVar[type] = SoundRecord

    @classmethod
    def of_file(cls, content: bytes, caption: str = "", notes: np.ndarray | None = None) -> Self:
        """Of an encoded sound of one channel, such as WAV."""
        import soundfile

        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
        return cls(samples, rate, caption, notes)

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def record(self, place: Place) -> dict[str, Any]:
        samples = self._clean()[: MAX_SECONDS * self.rate]
        place.file(".wav").write_bytes(wav_of((samples * 32767).astype("<i2").tobytes(), self.rate))
        heard = {"file": place.name(".wav"), "seconds": self.seconds, "shown_seconds": len(samples) / self.rate}
        if self.notes is not None:
            decoded(piano_roll(self.notes)).save(place.file(".roll.png"))
            return {**heard, "roll": place.name(".roll.png"), "roll_seconds": seconds_of(self.notes)}
        _spectrogram(samples, self.rate).save(place.file(".spectrogram.png"))
        shown = {"spectrogram": place.name(".spectrogram.png"), "top_hz": self.rate / 2, "wave": _envelope(samples)}
        return {**heard, **shown}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        shown = [page.wave(record["wave"], f"wave of {title}")] if record.get("wave") else []
        if record.get("roll"):
            shown.append(page.roll(record["roll"], record.get("roll_seconds", record["seconds"]), f"notes of {title}"))
        said = number(record["seconds"]) + " s"
        if record["shown_seconds"] < record["seconds"]:
            said = f"the first {number(record['shown_seconds'])} of {said}"
        if record.get("spectrogram"):
            top = f", up to {number(record['top_hz'])} Hz" if "top_hz" in record else ""
            shown.append(page.spectrogram(record["spectrogram"], f"spectrogram of {title}{top}"))
            said += top
        return [*shown, page.player(record["file"], f"sound of {title}"), page.note(said)]

    def draw(self, axes: Any) -> None:
        if self.notes is not None:
            axes.imshow(piano_roll(self.notes), aspect="auto")
            return
        axes.axis("on")
        samples = self._clean()
        axes.plot(np.arange(len(samples)) / self.rate, samples, linewidth=0.5, color=COLOURS[0])
        axes.set(xlabel="seconds", ylim=(-1.05, 1.05))

    def _clean(self) -> np.ndarray:
        return np.clip(np.nan_to_num(np.asarray(self.samples, np.float32)), -1, 1)


def _envelope(samples: np.ndarray) -> list[list[float]]:
    """Lowest and highest sample of each of at most WAVE_BINS stretches."""
    bins = np.array_split(samples, min(WAVE_BINS, len(samples))) if len(samples) else []
    return [[round(float(part.min()), 3), round(float(part.max()), 3)] for part in bins]


def _spectrogram(samples: np.ndarray, rate: int) -> Any:
    """A Pillow image of the loudness by time (left to right) and pitch (bottom to top, linear): dark is loud.

    Frames of 32 ms with a Hann window; 70 dB below the loudest is white.
    """
    from PIL import Image

    size = max(16, int(0.032 * rate))
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    hop = max(size // 4, (len(padded) - size) // SPECTROGRAM_FRAMES + 1)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * np.hanning(size)
    decibels = 20 * np.log10(np.abs(np.fft.rfft(frames)) + 1e-6)
    loudness = np.clip((decibels - decibels.max()) / 70 + 1, 0, 1)
    picture = Image.fromarray((255 * (1 - loudness.T[::-1])).astype(np.uint8))
    return picture.resize((SPECTROGRAM_FRAMES, SPECTROGRAM_HEIGHT), Image.Resampling.BILINEAR)
