"""Frames of a film that play again and again, and stand still for whom movement troubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import numpy as np

from trainer.preview.part import Page, Part, Place, Record, Shown_co

MAX_SIDE = 384
"""Pixels. Frames are shrunk to it on disk."""
MAX_FRAMES = 100
"""Of more, so many are taken evenly."""
SHORTEST, LONGEST = 40, 1000
"""Milliseconds that a frame is shown: browsers show none for less, and nobody waits for more."""


class AnimationRecord(TypedDict):
    """`still`: the frame in the middle, a picture."""

    kind: str
    caption: str
    file: str
    still: str
    width: int
    height: int


@dataclass(frozen=True)
class Animation(Part):
    """`frames`: uint8 `[frames, height, width, 1 | 3]`, at least one; `seconds`: how long all of them last."""

    frames: np.ndarray
    seconds: float
    caption: str = ""

    kind: ClassVar[str] = "animation"
    form: ClassVar[type] = AnimationRecord
    room: ClassVar[int] = 1

    def record(self, place: Place) -> dict[str, Any]:
        frames = self._pictures()
        each = int(min(max(1000 * self.seconds / len(frames), SHORTEST), LONGEST))
        first, *others = frames
        first.save(place.file(".webp"), "WEBP", save_all=True, append_images=others, duration=each, loop=0, quality=85)
        still = self._still()
        still.save(place.file(".png"))
        size = {"width": still.width, "height": still.height}
        return {"file": place.name(".webp"), "still": place.name(".png"), **size}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Sequence[Record]) -> list[Shown_co]:
        alt = f"{record['caption'] or title}, moving"
        return [page.animation(record["file"], record["still"], alt, record["width"], record["height"])]

    def draw(self, axes: Any) -> None:
        axes.imshow(np.asarray(self._still().convert("RGB")))

    @classmethod
    def fills_row(cls, record: Record) -> bool:
        return False

    def _pictures(self) -> list[Any]:
        count = min(len(self.frames), MAX_FRAMES)
        return [_picture(self.frames[len(self.frames) * i // count]) for i in range(count)]

    def _still(self) -> Any:
        return _picture(self.frames[len(self.frames) // 2])


def _picture(pixels: np.ndarray) -> Any:
    from PIL import Image

    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture
