"""Previews on disk: media as files, the rest as JSON-able records."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.preview.drawing import clean, image_of, is_marked
from trainer.preview.parts import Bars, Curve, Part, Picture, Preview, Sound, Words

MAX_SECONDS = 10
"""Sounds are cut to it on disk."""
MAX_POINTS = 500
"""Longer curves are thinned to it on disk."""
WAVE_BINS = 160
SPECTROGRAM_FRAMES, SPECTROGRAM_HEIGHT = 400, 100


def write(previews: Iterable[Preview], directory: Path) -> list[dict[str, Any]]:
    """Writes media below `directory/previews` and returns JSON-able records that name them by relative paths.

    A record has title, correct, slice and parts; a part has kind, caption and what its kind needs to be shown.
    """
    media = directory / "previews"
    media.mkdir(parents=True, exist_ok=True)
    return [
        {
            "title": preview.title,
            "correct": preview.correct,
            "slice": dict(preview.slice),
            "parts": [_record(part, media / f"{i:03d}-{j}", directory) for j, part in enumerate(preview.parts)],
        }
        for i, preview in enumerate(previews)
    ]


def _record(part: Part, stem: Path, directory: Path) -> dict[str, Any]:
    match part:
        case Picture():
            file, image = stem.with_suffix(".png"), image_of(part)
            image.save(file)
            name = file.relative_to(directory).as_posix()
            size = {"width": image.width, "height": image.height}
            shown = {"kind": "picture", "file": name, **size, "marked": is_marked(part)}
        case Sound():
            file, samples = stem.with_suffix(".wav"), clean(part)[: MAX_SECONDS * part.rate]
            _write_wav(file, samples, part.rate)
            spectrogram = stem.with_suffix(".spectrogram.png")
            _spectrogram(samples, part.rate).save(spectrogram)
            shown = {
                "kind": "sound",
                "file": file.relative_to(directory).as_posix(),
                "spectrogram": spectrogram.relative_to(directory).as_posix(),
                "top_hz": part.rate / 2,
                "seconds": len(part.samples) / part.rate,
                "shown_seconds": len(samples) / part.rate,
                "wave": _envelope(samples),
            }
        case Curve():
            series = {name: _points(values) for name, values in part.series.items()}
            shown = {"kind": "curve", "series": series, "x_label": part.x_label, "y_label": part.y_label}
        case Bars():
            shown = {"kind": "bars", "values": {name: float(value) for name, value in part.values.items()}}
        case Words():
            shown = {"kind": "words", "text": part.text, "compared": part.compared, "any_case": part.any_case}
    return {**shown, "caption": part.caption}


def _write_wav(file: Path, samples: np.ndarray, rate: int) -> None:
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(rate)
        stream.writeframes((samples * 32767).astype("<i2").tobytes())


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


def _points(values: Sequence[float] | np.ndarray) -> list[list[float | None]]:
    """[step, value] pairs, at most MAX_POINTS of them; None where a value is not finite."""
    thinned = range(0, len(values), math.ceil(len(values) / MAX_POINTS) or 1)
    return [[step, float(values[step]) if math.isfinite(values[step]) else None] for step in thinned]


# --- pictures ---
