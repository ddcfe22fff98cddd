"""Two pictures of the same, one over the other, with a divider between them that a person moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import numpy as np

from trainer.preview.part import Page, Part, Place, Record, Shown_co
from trainer.preview.parts.picture import MAX_SIDE, decoded

GAP = 6
"""Pixels between them where they are drawn beside each other."""


class BeforeAfterRecord(TypedDict):
    kind: str
    caption: str
    before: str
    after: str
    names: tuple[str, str]
    width: int
    height: int


@dataclass(frozen=True)
class BeforeAfter(Part):
    """`before` and `after`: encoded pictures, or uint8 pixels `[height, width, 1 | 3 | 4]`; the first is brought to the
    size of the second. `names` say what each of them is."""

    before: bytes | np.ndarray
    after: bytes | np.ndarray
    names: tuple[str, str] = ("before", "after")
    caption: str = ""

    kind: ClassVar[str] = "before_after"
    form: ClassVar[type] = BeforeAfterRecord

    def record(self, place: Place) -> dict[str, Any]:
        files = {"before": place.name(".before.png"), "after": place.name(".png")}
        before, after = self._pictures()
        before.save(place.file(".before.png"))
        after.save(place.file(".png"))
        return {**files, "names": list(self.names), "width": after.width, "height": after.height}

    @classmethod
    def show(cls, record: Record, page: Page[Shown_co], title: str, others: Any) -> list[Shown_co]:
        size = record["width"], record["height"]
        return [page.divided((record["before"], record["after"]), tuple(record["names"]), *size)]

    def draw(self, axes: Any) -> None:
        before, after = (np.asarray(picture) for picture in self._pictures())
        gap = np.full((len(after), GAP, 3), 255, np.uint8)
        axes.set_title(", ".join(filter(None, [self.caption, " | ".join(self.names)])), fontsize=9, parse_math=False)
        axes.imshow(np.hstack([before, gap, after]))

    def _pictures(self) -> tuple[Any, Any]:
        from PIL import Image

        after = decoded(self.after).convert("RGB")
        after.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        return decoded(self.before).convert("RGB").resize(after.size, Image.Resampling.LANCZOS), after
