"""Previews: what a person is shown of one example and its prediction, and how that is written to disk."""

from __future__ import annotations

import io
import math
import textwrap
import wave
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

MAX_SIDE = 384
"""Pixels. Pictures are shrunk to it on disk, and those with boxes or a mask enlarged to it, so that lines are fine."""
MAX_SECONDS = 10
"""Sounds are cut to it on disk."""
MAX_POINTS = 500
"""Longer curves are thinned to it on disk."""
WAVE_BINS = 160
SPECTROGRAM_FRAMES, SPECTROGRAM_HEIGHT = 400, 100
COLOURS = ("#1d6fd1", "#d9570a", "#12805c", "#9b3fb5", "#b58900", "#c22f5b")


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture it lies on. True ones are drawn dashed, predicted ones solid."""

    left: float
    top: float
    right: float
    bottom: float
    label: str = ""
    truth: bool = False


@dataclass(frozen=True)
class Picture:
    """`content`: an encoded picture, or uint8 pixels `[height, width, 1 | 3 | 4]`.

    `mask`, integers `[rows, columns]` stretched over the picture, tints each region but 0 with a colour of its own.
    """

    content: bytes | np.ndarray
    caption: str = ""
    boxes: Sequence[Box] = ()
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Words:
    """Where two texts of a preview are `compared`, the words in which they differ are marked."""

    text: str
    caption: str = ""
    compared: bool = False


@dataclass(frozen=True)
class Bars:
    """Named values ≥ 0, in the order shown. If none is above 1, they are shown as shares."""

    values: Mapping[str, float]
    caption: str = ""


@dataclass(frozen=True)
class Curve:
    """Named series over the same steps, one value a step; what is not finite leaves a gap."""

    series: Mapping[str, Sequence[float] | np.ndarray]
    caption: str = ""
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class Sound:
    """`samples`: float32 `[n]` in -1 to 1; `rate` in Hz."""

    samples: np.ndarray
    rate: int
    caption: str = ""


Part = Picture | Words | Bars | Curve | Sound


@dataclass(frozen=True)
class Preview:
    """`correct` is None where there is no truth to compare with; `slice`: column -> value, as in the metrics."""

    title: str
    correct: bool | None
    slice: Mapping[str, str]
    parts: Sequence[Part]


def as_text(value: Any) -> str:
    """What a person reads of a value of an example or a prediction; texts come as UTF-8."""
    return value.decode() if isinstance(value, bytes) else str(value)


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


def render_png(preview: Preview, path: Path) -> None:
    """One picture of a whole preview: its parts side by side under the title. Sounds are drawn as waves."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = max(1, min(len(preview.parts), 3))
    rows = max(1, math.ceil(len(preview.parts) / columns))
    figure = Figure(figsize=(max(3.6 * columns, 5.0), 3.3 * rows + 0.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    mark = "" if preview.correct is None else "✓ " if preview.correct else "✗ "
    title = textwrap.shorten(preview.title, 60 * columns, placeholder=" …")
    figure.suptitle(mark + title, fontweight="bold", parse_math=False, wrap=True)
    cells = figure.subplots(rows, columns, squeeze=False).flat
    for axes in cells:
        axes.axis("off")
    for axes, part in zip(figure.axes, preview.parts, strict=False):
        axes.set_title(textwrap.shorten(part.caption, 60, placeholder=" …"), fontsize=9, parse_math=False)
        _draw(axes, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


# --- on disk ---


def _record(part: Part, stem: Path, directory: Path) -> dict[str, Any]:
    match part:
        case Picture():
            file, image = stem.with_suffix(".png"), _image(part)
            image.save(file)
            name = file.relative_to(directory).as_posix()
            size = {"width": image.width, "height": image.height}
            shown = {"kind": "picture", "file": name, **size, "marked": _is_marked(part)}
        case Sound():
            file, samples = stem.with_suffix(".wav"), _clean(part)[: MAX_SECONDS * part.rate]
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
            shown = {"kind": "words", "text": part.text, "compared": part.compared}
    return {**shown, "caption": part.caption}


def _clean(sound: Sound) -> np.ndarray:
    return np.clip(np.nan_to_num(np.asarray(sound.samples, np.float32)), -1, 1)


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


def _image(picture: Picture) -> Any:
    """A Pillow image with boxes and mask drawn, at most MAX_SIDE pixels wide and high."""
    from PIL import Image

    image = _decoded(picture.content)
    factor = MAX_SIDE / max(image.size)
    if factor >= 1 and not _is_marked(picture):
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    image = image.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)
    if not _is_marked(picture):
        return image
    image = image.convert("RGB")
    if picture.mask is not None:
        image = _tinted(image, picture.mask)
    boxes = [
        replace(b, **{s: factor * getattr(b, s) for s in ("left", "top", "right", "bottom")}) for b in picture.boxes
    ]
    for draw in (_draw_box, _draw_label):  # labels last, so that no line crosses them
        for box in boxes:
            draw(image, box)
    return image


def _is_marked(picture: Picture) -> bool:
    return len(picture.boxes) > 0 or picture.mask is not None


def _decoded(content: bytes | np.ndarray) -> Any:
    from PIL import Image

    if not isinstance(content, bytes):
        return Image.fromarray(content[..., 0] if content.shape[-1] == 1 else content)
    image = Image.open(io.BytesIO(content))
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow's own conversion would clip all but the darkest
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")


def _tinted(image: Any, mask: np.ndarray) -> Any:
    """Regions tinted, and outlined so that they do not rest on colour alone."""
    from PIL import Image, ImageColor

    rows, columns = (np.arange(n) * m // n for n, m in zip(image.size[::-1], mask.shape, strict=True))
    regions = mask[np.ix_(rows, columns)]
    palette = np.array([ImageColor.getrgb(colour) for colour in COLOURS], np.float32)
    pixels = np.asarray(image, np.float32).copy()
    inside = regions != 0
    tint = palette[(regions - 1) % len(COLOURS)]
    pixels[inside] = 0.55 * pixels[inside] + 0.45 * tint[inside]
    edge = np.zeros_like(inside)
    edge[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    edge[1:] |= regions[1:] != regions[:-1]
    pixels[edge] = 255
    return Image.fromarray(pixels.astype(np.uint8))


def _draw_box(image: Any, box: Box) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    for colour, width in (("#000000", 4), ("#ffffff" if box.truth else COLOURS[0], 2)):  # to be seen on any picture
        for start, end in _sides(box):
            draw.line((start, end), fill=colour, width=width)


def _draw_label(image: Any, box: Box) -> None:
    """Above a predicted box, below a true one, so that both can be read where they agree."""
    from PIL import ImageDraw, ImageFont

    if not box.label:
        return
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    width, height = (math.ceil(side) + 6 for side in draw.textbbox((0, 0), box.label, font=font)[2:])
    x = max(0, min(box.left, image.width - width))
    y = max(0, min(box.bottom if box.truth else box.top - height, image.height - height))
    draw.rectangle((x, y, x + width, y + height), fill="#000000" if box.truth else COLOURS[0])
    draw.text((x + 3, y + 2), box.label, fill="#ffffff", font=font)


def _sides(box: Box) -> Iterable[tuple[Any, Any]]:
    """The lines of a box: its four sides, or their dashes."""
    corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        count = max(1, round(math.hypot(x1 - x0, y1 - y0) / 14)) if box.truth else 1
        for i in range(count):
            a, b = i / count, (i + (0.55 if box.truth else 1)) / count
            yield (x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))


# --- one picture of it all ---


def _draw(axes: Any, part: Part) -> None:
    match part:
        case Picture():
            image = _image(part)
            smooth = "nearest" if max(image.size) < MAX_SIDE / 2 else "antialiased"
            axes.imshow(np.asarray(image.convert("RGBA")), interpolation=smooth)
        case Words():
            lines = [line for text in part.text.splitlines() for line in textwrap.wrap(text, 40) or [""]]
            shown = lines[:14] + (["…"] if len(lines) > 14 else [])
            axes.text(0, 1, "\n".join(shown), va="top", fontsize=9, parse_math=False)
        case Bars():
            _draw_bars(axes, part)
        case Curve():
            _draw_curves(axes, part)
        case Sound():
            axes.axis("on")
            samples = _clean(part)
            axes.plot(np.arange(len(samples)) / part.rate, samples, linewidth=0.5, color=COLOURS[0])
            axes.set(xlabel="seconds", ylim=(-1.05, 1.05))


def _draw_bars(axes: Any, bars: Bars) -> None:
    axes.axis("on")
    axes.spines[:].set_visible(False)
    values = list(bars.values.values())
    full = max([1.0, *values])
    names = [textwrap.shorten(name, 22, placeholder="…") or name[:21] + "…" for name in bars.values]
    axes.barh(range(len(values)), values, color=COLOURS[0], height=0.6)
    axes.set_yticks(range(len(values)), names, parse_math=False)
    axes.tick_params(length=0)
    axes.set(xticks=[], xlim=(0, 1.3 * full), ylim=(max(len(values), 3) - 0.4, -0.6))
    for row, value in enumerate(values):
        shown = f"{value:.1%}" if full == 1.0 else f"{value:.4g}"
        axes.text(value + 0.03 * full, row, shown, va="center", fontsize=9)


def _draw_curves(axes: Any, curve: Curve) -> None:
    axes.axis("on")
    axes.spines[["top", "right"]].set_visible(False)
    styles = ("-", "--", ":", "-.")
    for i, (name, values) in enumerate(curve.series.items()):
        axes.plot(values, styles[i % len(styles)], color=COLOURS[i % len(COLOURS)], linewidth=1.5, label=name)
    axes.set_xlabel(curve.x_label, parse_math=False)
    axes.set_ylabel(curve.y_label, parse_math=False)
    if curve.series:
        for text in axes.legend(fontsize=8, frameon=False).get_texts():
            text.set_parse_math(False)
