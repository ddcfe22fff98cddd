"""Which class each pixel of a picture shows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns import samples
from data.columns.base import Column, Feature, Value
from data.errors import BadValue
from data.media.masks import WHITE_IS_1, numbers_of
from data.media.outlines import Outlines
from data.media.palettes import VOID, Colour, read_classes

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Mask(Column):
    """A PNG of the size of the picture `of` that says of each pixel its class: by numbers, in grey or indexed with any
    palette, or by colours, those that the folder's own list of classes gives or Pascal VOC's
    (`data.media.masks.numbers_of`). COCO's outlines of objects are such a mask, too.

    `classes` names the numbers from 0 on; left empty, the folder's list does (`data.media.palettes.NAMES`) or, without
    one, every number is a class and its digits are its name. Pixels of the number `void` belong to none; a mask has
    others.

    Features: a grey 8-bit PNG whose pixels are the numbers, `NAME_width` and `NAME_height`, `NAME_numbers`, the numbers
    that occur in rising order, and `NAME_classes`, their names.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "mask"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)
    of: str = "image"
    classes: tuple[str, ...] = field(default=())
    colours: tuple[tuple[Colour, int], ...] = field(default=(), repr=False)
    void: int | None = VOID

    def features(self, name: str) -> dict[str, Feature]:
        side = Feature("int64", minimum=1, optional=self.optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_width": side,
            f"{name}_height": side,
            f"{name}_numbers": Feature(
                "int64", minimum=0, maximum=255, optional=self.optional, derived=True, length=None
            ),
            f"{name}_classes": Feature("bytes", categories=True, optional=self.optional, length=None),
        }

    def as_in(self, folder: Path) -> Mask:
        found = None if self.classes else read_classes(folder)
        return self if found is None else replace(self, classes=found.names, colours=tuple(found.colours.items()))

    def names_file(self, value: Any) -> bool:
        return not isinstance(value, Outlines)

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        import numpy as np

        if isinstance(value, Outlines):
            numbers, note, names = value.mask(), "", value.names
        else:
            numbers, note = numbers_of(value, dict(self.colours), self.void)
            names = dict(enumerate(self.classes))
        found = [int(number) for number in np.unique(numbers) if number != self.void]
        if not found:
            raise BadValue(f"void ({self.void}) all over; nothing can be learnt from it")
        if self.classes and found[-1] not in names:
            raise BadValue(f"a pixel of class {found[-1]}; the last of {len(names)} is {len(names) - 1}")
        height, width = numbers.shape
        return {
            name: _stored(numbers, note),
            f"{name}_width": width,
            f"{name}_height": height,
            f"{name}_numbers": found,
            f"{name}_classes": [names.get(number, str(number)).encode() for number in found],
        }

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

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        content = cast(bytes, features.get(name, b""))
        return [note for note in (WHITE_IS_1,) if note.encode() in content]

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        return samples.png(samples.outlines(subject))


def _stored(numbers: np.ndarray[Any, Any], note: str) -> bytes:
    """A grey PNG of 8 bits, which TensorFlow reads as numbers, and in it what a person should know of it."""
    from PIL import Image, PngImagePlugin

    about = PngImagePlugin.PngInfo()
    if note:
        about.add_text("Benison", note)
    stream = io.BytesIO()
    Image.fromarray(numbers).save(stream, "PNG", pnginfo=about)
    return stream.getvalue()
