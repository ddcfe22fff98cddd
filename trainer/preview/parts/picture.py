"""A picture, on which boxes, a mask and a heat map may lie."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Required, TypedDict

import numpy as np

from data.media.palettes import voc_palette
from trainer.preview.part import COLOURS, Page, Part, Place, Record, Shown_co

MAX_SIDE = 384
"""Pixels. Pictures are shrunk to it on disk, and those with boxes or a mask enlarged to it, so that lines are fine."""
LEGEND_SIZE = 15
"""Pixels of its letters."""
HEAT = ((20, 11, 52), (187, 55, 84), (249, 201, 50), (252, 255, 164))
"""Colours from cold to hot, ever lighter, so that they can be told apart without their hue."""
MAX_COVER = 0.7
"""How much of the picture the hottest place hides."""
STRIP = 2.5
"""So many times as wide as high, a picture would be too low beside another."""


class PictureRecord(TypedDict, total=False):
    """`marked`: boxes, a mask or a heat map lie on it."""

    kind: Required[str]
    caption: Required[str]
    file: Required[str]
    width: int
    height: int
    marked: bool


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
class Picture(Part):
    """`content`: an encoded picture, or uint8 pixels `[height, width, 1 | 3 | 4]`.

    `mask`, numbers of classes, integers `[rows, columns]` stretched over the picture, tints each region but 0 in Pascal
    VOC's colour of its number; `names` gives those that it shows a legend.
    `heat`, numbers from 0 to 1 `[rows, columns]` stretched over it, covers the more of it the higher they are: where
    a model looked, or what it finds odd.
    """

    content: bytes | np.ndarray
    caption: str = ""
    boxes: Sequence[Box] = ()
    mask: np.ndarray | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    heat: np.ndarray | None = None

    kind: ClassVar[str] = "picture"
    form: ClassVar[type] = PictureRecord
    room: ClassVar[int] = 1

    def record(self, place: Place) -> dict[str, Any]:
        image = self.image()
        image.save(place.file(".png"))
        size = {"width": image.width, "height": image.height}
        return {"file": place.name(".png"), **size, "marked": self.is_marked()}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        width, height = record.get("width", 0), record.get("height", 0)
        return [page.picture(record["file"], record["caption"] or title, width, height)]

    def draw(self, axes: Any) -> None:
        image = self.image()
        smooth = "nearest" if max(image.size) < MAX_SIDE / 2 else "antialiased"
        axes.imshow(np.asarray(image.convert("RGBA")), interpolation=smooth)

    @classmethod
    def fills_row(cls, record: Record) -> bool:
        """One with boxes or a mask on it, to be seen large, and one that is a long strip."""
        return bool(record.get("marked")) or record.get("width", 0) > STRIP * record.get("height", math.inf)

    def medium(self) -> bytes | np.ndarray | None:
        return None if self.is_marked() else self.content

    def is_marked(self) -> bool:
        return len(self.boxes) > 0 or self.mask is not None or self.heat is not None

    def image(self) -> Any:
        """A Pillow image with boxes, mask and heat map drawn, at most MAX_SIDE pixels wide and high."""
        from PIL import Image

        image = _decoded(self.content)
        factor = MAX_SIDE / max(image.size)
        if factor >= 1 and not self.is_marked():
            return image
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)
        if not self.is_marked():
            return image
        image = image.convert("RGB")
        if self.mask is not None:
            image = _tinted(image, self.mask)
        if self.heat is not None:
            image = _heated(image, self.heat)
        boxes = [
            replace(b, **{s: factor * getattr(b, s) for s in ("left", "top", "right", "bottom")}) for b in self.boxes
        ]
        for draw in (_draw_box, _draw_label):  # labels last, so that no line crosses them
            for box in boxes:
                draw(image, box)
        shown = [] if self.mask is None else [int(number) for number in np.unique(self.mask) if number in self.names]
        return _with_legend(image, {number: self.names[number] for number in shown}) if shown else image


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
    from PIL import Image

    rows, columns = (np.arange(n) * m // n for n, m in zip(image.size[::-1], mask.shape, strict=True))
    regions = mask[np.ix_(rows, columns)]
    pixels = np.asarray(image, np.float32).copy()
    inside = regions != 0
    tint = voc_palette().astype(np.float32)[regions % 256]
    pixels[inside] = 0.55 * pixels[inside] + 0.45 * tint[inside]
    edge = np.zeros_like(inside)
    edge[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    edge[1:] |= regions[1:] != regions[:-1]
    pixels[edge] = 255
    return Image.fromarray(pixels.astype(np.uint8))


def _with_legend(image: Any, names: Mapping[int, str]) -> Any:
    """The picture, and below it the colour and the name of each class; 0 has none, as it is not tinted."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(LEGEND_SIZE)
    line, swatch = LEGEND_SIZE + 8, LEGEND_SIZE
    places, x, y = [], 4, 4
    for number, name in names.items():
        width = swatch + 6 + math.ceil(font.getlength(name)) + 14
        if x > 4 and x + width > image.width:
            x, y = 4, y + line
        places.append((x, y, number, name))
        x += width
    whole = Image.new("RGB", (image.width, image.height + y + line), "#ffffff")
    whole.paste(image)
    draw = ImageDraw.Draw(whole)
    for x, y, number, name in places:
        top = image.height + y
        fill = tuple(voc_palette()[number].tolist()) if number else None
        draw.rectangle((x, top + 2, x + swatch, top + 2 + swatch), fill=fill, outline="#000000")
        draw.text((x + swatch + 6, top), name, fill="#000000", font=font)
    return whole


def _heated(image: Any, heat: np.ndarray) -> Any:
    """Where `heat` is 0 the picture shows through, where it is 1 hardly."""
    from PIL import Image

    small = Image.fromarray(np.nan_to_num(heat).clip(0, 1).astype(np.float32))
    warm = np.asarray(small.resize(image.size, Image.Resampling.BILINEAR))
    steps = np.linspace(0, 1, len(HEAT))
    colours = np.stack([np.interp(warm, steps, channel) for channel in np.transpose(HEAT)], axis=-1)
    cover = MAX_COVER * warm[..., None]
    return Image.fromarray(((1 - cover) * np.asarray(image) + cover * colours).astype(np.uint8))


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
