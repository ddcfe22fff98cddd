"""Previews: what a person is shown of one example and its prediction, and how that is written to disk."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Picture:
    """`content`: an encoded picture, or uint8 pixels `[height, width, 1 | 3 | 4]`."""

    content: bytes | np.ndarray
    caption: str = ""


@dataclass(frozen=True)
class Words:
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Bars:
    """Named values from 0 to 1, in the order shown."""

    values: Mapping[str, float]
    caption: str = ""


@dataclass(frozen=True)
class Sound:
    """`samples`: float32 `[n]` in -1 to 1; `rate` in Hz."""

    samples: np.ndarray
    rate: int
    caption: str = ""


Part = Picture | Words | Bars | Sound


@dataclass(frozen=True)
class Preview:
    """`correct` is None where there is no truth to compare with; `slice`: column -> value, as in the metrics."""

    title: str
    correct: bool | None
    slice: Mapping[str, str]
    parts: Sequence[Part]


def write(previews: Iterable[Preview], directory: Path) -> list[dict[str, Any]]:
    """Writes media below `directory/previews` and returns JSON-able records that name them by relative paths."""
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


def render_png(preview: Preview, path: Path) -> None:
    """One picture of a whole preview: its parts side by side under the title. Sounds are drawn as waves."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(preview.parts), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(preview.title)
    for axes, part in zip(figure.subplots(1, len(preview.parts), squeeze=False)[0], preview.parts, strict=True):
        _draw(axes, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _record(part: Part, stem: Path, directory: Path) -> dict[str, Any]:
    if isinstance(part, Picture):
        file = stem.with_suffix(".png")
        _pillow(part.content).save(file)
        return {"kind": "picture", "file": str(file.relative_to(directory)), "caption": part.caption}
    if isinstance(part, Sound):
        file = stem.with_suffix(".wav")
        _write_wav(part, file)
        return {"kind": "sound", "file": str(file.relative_to(directory)), "caption": part.caption}
    if isinstance(part, Bars):
        return {"kind": "bars", "values": {k: float(v) for k, v in part.values.items()}, "caption": part.caption}
    return {"kind": "words", "text": part.text, "caption": part.caption}


def _pillow(content: bytes | np.ndarray) -> Any:
    from PIL import Image

    if isinstance(content, bytes):
        picture = Image.open(io.BytesIO(content))
        return picture.convert("RGBA" if picture.mode in ("P", "LA", "PA") else "L" if picture.mode == "L" else "RGB")
    return Image.fromarray(content[..., 0] if content.shape[-1] == 1 else content)


def _write_wav(sound: Sound, file: Path) -> None:
    samples = (np.clip(sound.samples, -1, 1) * 32767).astype("<i2")
    with wave.open(str(file), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(sound.rate)
        stream.writeframes(samples.tobytes())


def _draw(axes: Any, part: Part) -> None:
    axes.set_title(part.caption, fontsize=9)
    if isinstance(part, Bars):
        names = list(part.values)[::-1]
        values = [part.values[name] for name in names]
        axes.barh(names, values)
        axes.set_xlim(0, 1)
        for row, value in enumerate(values):
            axes.text(min(value, 0.8) + 0.02, row, f"{value:.1%}", va="center", fontsize=8)
        return
    if isinstance(part, Sound):
        axes.plot(np.arange(len(part.samples)) / part.rate, part.samples, linewidth=0.5)
        axes.set_xlabel("seconds")
        return
    axes.axis("off")
    if isinstance(part, Picture):
        axes.imshow(np.asarray(_pillow(part.content).convert("RGB")), interpolation="nearest")
    else:
        axes.text(0, 1, part.text, va="top", wrap=True)
