"""A picture in whose regions lie the masks of classes, each of which a person can take off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict

import numpy as np

from data.media.palettes import VOID, voc_palette
from trainer.preview.part import Page, Part, Place, Record, Shown_co
from trainer.preview.parts.picture import at_max_side, decoded

TINT = 0.45
"""How much of the picture a mask hides."""
MAX_LAYERS = 12
"""Masks that can be taken off; smaller ones are taken off together."""
LEGEND_SIZE = 15
"""Pixels of its letters, where all is drawn as one picture."""


class Layer(TypedDict):
    """`colour` as #rrggbb."""

    name: str
    file: str
    colour: str


class MasksRecord(TypedDict):
    kind: str
    caption: str
    file: str
    width: int
    height: int
    layers: list[Layer]


@dataclass(frozen=True)
class Masks(Part):
    """`content`: an encoded picture, or uint8 pixels `[height, width, 1 | 3 | 4]`; `mask`: numbers of classes, integers
    `[rows, columns]` stretched over it, each region but 0 tinted in Pascal VOC's colour of its number; `names` by
    number."""

    content: bytes | np.ndarray
    mask: np.ndarray
    names: Mapping[int, str] = field(default_factory=dict)
    caption: str = ""

    kind: ClassVar[str] = "masks"
    form: ClassVar[type] = MasksRecord

    def record(self, place: Place) -> dict[str, Any]:
        image = self._picture()
        image.save(place.file(".png"))
        layers = []
        for number, (numbers, name) in enumerate(self._layers()):
            suffix = f".{number}.png"
            _over(self._stretched(image), numbers).save(place.file(suffix), optimize=True)
            layers.append({"name": name, "file": place.name(suffix), "colour": _hex(numbers[0])})
        return {"file": place.name(".png"), "width": image.width, "height": image.height, "layers": layers}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        alt = record["caption"] or title
        return [page.layers(record["file"], record["layers"], alt, record["width"], record["height"])]

    def draw(self, axes: Any) -> None:
        image = self._picture()
        regions = self._stretched(image)
        whole = image.convert("RGBA")
        for numbers, _ in self._layers():
            whole.alpha_composite(_over(regions, numbers))
        seen = {numbers[0]: name for numbers, name in self._layers()}
        axes.imshow(np.asarray(_with_legend(whole.convert("RGB"), seen) if seen else whole))

    def _picture(self) -> Any:
        """Of MAX_SIDE pixels, so that the lines of masks are fine."""
        return at_max_side(decoded(self.content).convert("RGB"))

    def _stretched(self, image: Any) -> np.ndarray:
        rows, columns = (np.arange(n) * m // n for n, m in zip(image.size[::-1], self.mask.shape, strict=True))
        return self.mask[np.ix_(rows, columns)]

    def _layers(self) -> Iterator[tuple[list[int], str]]:
        """The numbers of each and its name, the largest first; the last one may be of all that are left."""
        found, counts = np.unique(self.mask[self.mask != 0], return_counts=True)
        numbers = [int(number) for number in found[np.argsort(-counts, kind="stable")]]
        alone = numbers if len(numbers) <= MAX_LAYERS else numbers[: MAX_LAYERS - 1]
        yield from (([number], self._name(number)) for number in alone)
        if left := numbers[len(alone) :]:
            yield left, f"{len(left)} others"

    def _name(self, number: int) -> str:
        return self.names.get(number, "void" if number == VOID else f"class {number}")


def _over(regions: np.ndarray, numbers: Sequence[int]) -> Any:
    """What lies over the picture: these regions tinted, and outlined so that they do not rest on colour alone."""
    from PIL import Image

    inside = np.isin(regions, numbers)
    pixels = np.zeros((*regions.shape, 4), np.uint8)
    pixels[..., :3] = voc_palette()[regions % 256]
    pixels[..., 3] = np.where(inside, round(255 * TINT), 0)
    edge = np.zeros_like(inside)
    edge[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    edge[1:] |= regions[1:] != regions[:-1]
    pixels[edge & inside] = 255
    return Image.fromarray(pixels)


def _hex(number: int) -> str:
    return "#" + bytes(voc_palette()[number % 256].tolist()).hex()


def _with_legend(image: Any, names: Mapping[int, str]) -> Any:
    """The picture, and below it the colour and the name of each class."""
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
        draw.rectangle((x, top + 2, x + swatch, top + 2 + swatch), fill=_hex(number), outline="#000000")
        draw.text((x + swatch + 6, top), name, fill="#000000", font=font)
    return whole
