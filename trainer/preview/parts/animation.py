"""Frames one after another."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Required, TypedDict

import numpy as np

from trainer.preview.part import Page, Part, Place, Record, Shown_co

MAX_SIDE = 384
"""Pixels. Larger frames are shrunk to it."""
MAX_FRAMES = 300
"""Of more frames some are left out, evenly, and each is shown longer."""
QUALITY = 60
"""Of WebP, from 0 to 100: an animation of a minute has a megabyte or two."""
DRAWN = 4
"""Frames of the strip that stands for it where nothing moves."""


class AnimationRecord(TypedDict, total=False):
    kind: Required[str]
    caption: Required[str]
    file: Required[str]
    width: int
    height: int


@dataclass(frozen=True)
class Animation(Part):
    """`frames`: uint8 pixels `[frames, height, width, 3]`, or a sequence of such; `rate` of them are shown a second. It
    begins anew at its end."""

    frames: np.ndarray | Sequence[np.ndarray]
    rate: float
    caption: str = ""

    kind: ClassVar[str] = "animation"
    form: ClassVar[type] = AnimationRecord

    def record(self, place: Place) -> dict[str, Any]:
        place.file(".webp").write_bytes(self.encoded())
        width, height = self._images()[0].size
        return {"file": place.name(".webp"), "width": width, "height": height}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        width, height = record.get("width", 0), record.get("height", 0)
        return [page.picture(record["file"], record["caption"] or title, width, height)]

    def draw(self, axes: Any) -> None:
        places = np.linspace(0, len(self.frames) - 1, min(DRAWN, len(self.frames))).round().astype(int)
        axes.imshow(np.concatenate([np.asarray(self.frames[place]) for place in places], axis=1))

    def encoded(self) -> bytes:
        """As WebP."""
        first, *others = self._images()
        shown = len(self.frames) / self.rate / (1 + len(others))
        stream = io.BytesIO()
        first.save(
            stream,
            "WEBP",
            save_all=True,
            append_images=others,
            duration=max(1, round(1000 * shown)),
            loop=0,
            quality=QUALITY,
        )
        return stream.getvalue()

    def _images(self) -> list[Any]:
        from PIL import Image

        step = -(-len(self.frames) // MAX_FRAMES)
        images = [Image.fromarray(np.asarray(frame)) for frame in self.frames[::step]]
        for image in images:
            image.thumbnail((MAX_SIDE, MAX_SIDE))
        return images
