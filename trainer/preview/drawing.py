"""Previews as pictures: boxes and masks drawn, parts side by side."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer.preview.parts import Bars, Box, Curve, Part, Picture, Preview, Sound, Words

MAX_SIDE = 384
"""Pixels. Pictures are shrunk to it on disk, and those with boxes or a mask enlarged to it, so that lines are fine."""
COLOURS = ("#1d6fd1", "#d9570a", "#12805c", "#9b3fb5", "#b58900", "#c22f5b")


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


def clean(sound: Sound) -> np.ndarray:
    return np.clip(np.nan_to_num(np.asarray(sound.samples, np.float32)), -1, 1)


def image_of(picture: Picture) -> Any:
    """A Pillow image with boxes and mask drawn, at most MAX_SIDE pixels wide and high."""
    from PIL import Image

    image = _decoded(picture.content)
    factor = MAX_SIDE / max(image.size)
    if factor >= 1 and not is_marked(picture):
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    image = image.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)
    if not is_marked(picture):
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


def is_marked(picture: Picture) -> bool:
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
            image = image_of(part)
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
            samples = clean(part)
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
