"""A picture, on which boxes and a heat map may lie."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Required, TypedDict

import numpy as np

from trainer.preview.part import COLOURS, Page, Part, Place, Record, Shown_co

MAX_SIDE = 384
"""Pixels. Pictures are shrunk to it on disk, and those with boxes enlarged to it, so that lines are fine."""
HEAT = ((20, 11, 52), (187, 55, 84), (249, 201, 50), (252, 255, 164))
"""Colours from cold to hot, ever lighter, so that they can be told apart without their hue."""
MAX_COVER = 0.7
"""How much of the picture the hottest place hides."""
STRIP = 2.5
"""So many times as wide as high, a picture would be too low beside another."""


class PictureRecord(TypedDict, total=False):
    """`marked`: boxes or a heat map lie on it."""

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

    `heat`, numbers from 0 to 1 `[rows, columns]` stretched over the picture, covers the more of it the higher they are:
    where a model looked, or what it finds odd.
    """

    content: bytes | np.ndarray
    caption: str = ""
    boxes: Sequence[Box] = ()
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
        """One with boxes on it, to be seen large, and one that is a long strip."""
        return bool(record.get("marked")) or record.get("width", 0) > STRIP * record.get("height", math.inf)

    def medium(self) -> bytes | np.ndarray | None:
        return None if self.is_marked() else self.content

    def is_marked(self) -> bool:
        return len(self.boxes) > 0 or self.heat is not None

    def image(self) -> Any:
        """A Pillow image with boxes and heat map drawn, at most MAX_SIDE pixels wide and high."""
        image = decoded(self.content)
        factor = MAX_SIDE / max(image.size)
        if factor >= 1 and not self.is_marked():
            return image
        image = at_max_side(image)
        if not self.is_marked():
            return image
        image = image.convert("RGB")
        if self.heat is not None:
            image = _heated(image, self.heat)
        boxes = [
            replace(b, **{s: factor * getattr(b, s) for s in ("left", "top", "right", "bottom")}) for b in self.boxes
        ]
        for draw in (_draw_box, _draw_label):  # labels last, so that no line crosses them
            for box in boxes:
                draw(image, box)
        return image


def at_max_side(image: Any) -> Any:
    """A Pillow image whose longer side is MAX_SIDE pixels; a smaller one is enlarged without smoothing."""
    from PIL import Image

    factor = MAX_SIDE / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)


def decoded(content: bytes | np.ndarray) -> Any:
    """A Pillow image of 8 bits a channel: L, RGB or RGBA."""
    from PIL import Image

    if not isinstance(content, bytes):
        return Image.fromarray(content[..., 0] if content.shape[-1] == 1 else content)
    image = Image.open(io.BytesIO(content))
    if image.mode.startswith("I"):  # 16 bits of grey, of which Pillow's own conversion would clip all but the darkest
        return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGBA" if "A" in image.mode or "transparency" in image.info else "RGB")


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
