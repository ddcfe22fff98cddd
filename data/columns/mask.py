"""Which class each pixel of a picture shows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns import samples
from data.columns.base import Column, Feature, Value
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Mask(Column):
    """A PNG of the size of the picture `of` whose pixels are the numbers of classes: grey, or indexed with any palette.

    `classes` names the numbers from 0 on; left empty, every number is a class and its digits are its name. Pixels of
    the number `void` belong to none. Colour pictures are refused, since the numbers of their colours are not known.

    Features: a grey 8-bit PNG whose pixels are the numbers, `NAME_width` and `NAME_height`, and `NAME_classes`, the
    names of those that occur.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "mask"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)
    of: str = "image"
    classes: tuple[str, ...] = field(default=())
    void: int | None = 255

    def features(self, name: str) -> dict[str, Feature]:
        side = Feature("int64", minimum=1, optional=self.optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_width": side,
            f"{name}_height": side,
            f"{name}_classes": Feature("bytes", categories=True, optional=self.optional, length=None),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        import numpy as np

        numbers, content = _numbers(value)
        found = [int(number) for number in np.flatnonzero(np.bincount(numbers.ravel(), minlength=1))]
        found = [number for number in found if number != self.void]
        if self.classes and found and found[-1] >= len(self.classes):
            raise BadValue(f"a pixel of class {found[-1]}; the last of {len(self.classes)} is {len(self.classes) - 1}")
        names = [(self.classes[number] if self.classes else str(number)).encode() for number in found]
        height, width = numbers.shape
        return {name: content, f"{name}_width": width, f"{name}_height": height, f"{name}_classes": names}

    def reconcile(self, name: str, features: Mapping[str, Value], columns: Mapping[str, Column]) -> Mapping[str, Value]:
        if f"{self.of}_width" in features:
            mask = features[f"{name}_width"], features[f"{name}_height"]
            picture = features[f"{self.of}_width"], features[f"{self.of}_height"]
            if mask != picture:
                raise BadValue(
                    f"a mask of {mask[0]!r}x{mask[1]!r} pixels for a picture of {picture[0]!r}x{picture[1]!r}"
                )
        return {}

    def class_names(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        return [label.decode() for label in cast(list[bytes], features.get(f"{name}_classes", []))]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        return samples.png(samples.outlines(subject))


def _numbers(content: bytes) -> tuple[np.ndarray[Any, Any], bytes]:
    """uint8 `[height, width]`, and a grey 8-bit PNG of it: TensorFlow reads colours where a PNG has a palette."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise BadValue("the file is empty")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
            mode, numbers = picture.mode, np.asarray(picture)
    except UnidentifiedImageError:
        raise BadValue("not a PNG; what compresses with loss changes the classes of pixels") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadValue(f"cannot be decoded: {error}") from None
    if mode not in ("1", "L", "P", "I", "I;16"):
        raise BadValue("a picture in colours; a mask has one number a pixel, as grey or indexed PNGs have")
    if numbers.max() > 255:
        raise BadValue(f"a pixel of class {numbers.max()}; the last possible is 255")
    if mode == "L" and _depth(content) == 8:
        return numbers, content
    numbers = numbers.astype(np.uint8)
    return numbers, samples.png(numbers).content


def _depth(content: bytes) -> int:
    """Bits a pixel, of which a PNG's header tells in its 25th byte."""
    return content[24]
