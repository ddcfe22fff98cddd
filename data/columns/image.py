"""Pictures in files, kept encoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from data.columns import samples
from data.columns.base import Column, Feature, Value
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


NO_PICTURE = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\nIDATx\xdac`\x00\x00\x00\x02\x00\x01\xe5'\xde\xfc\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""A PNG of one black pixel: what a model is given for a picture that nobody gave."""


@dataclass(frozen=True, kw_only=True)
class Image(Column):
    """A picture in a file, kept encoded (PNG or JPEG: what TensorFlow decodes inside the graph).

    Every picture is decoded once on the way in, so that a truncated one is found here and not in the middle of
    training. It is stored as a viewer shows it: `data.media.pictures.decodable` says what is turned, scaled, laid on a
    ground or converted; ordinary files stay as they are. Sizes are in pixels, of the upright picture.

    Where it `may_be_left_out`, a person may predict without one, and NO_PICTURE stands in. For tasks that answer at a
    picture's own size: those of a folder are shrunk to `longest_learnt` pixels on the longer side, so that learning
    and judging take no longer on big photographs; what a person gives at prediction stays as large as it is.
    """

    is_media: ClassVar[bool] = True
    is_picture: ClassVar[bool] = True
    noun: ClassVar[str] = "picture"
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"),
        *(".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm", ".qoi"),
    )
    min_size: int = 1
    max_size: int = 8192
    may_be_left_out: bool = False
    longest_learnt: int | None = None
    in_a_folder: bool = False

    def as_in(self, folder: Path) -> Image:
        return dataclasses.replace(self, in_a_folder=True)

    @property
    def stand_in(self) -> bytes | None:
        return NO_PICTURE if self.may_be_left_out else None

    def features(self, name: str) -> dict[str, Feature]:
        side = Feature("int64", minimum=self.min_size, maximum=self.max_size, optional=self.optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=self.optional),
            f"{name}_width": side,
            f"{name}_height": side,
            f"{name}_channels": Feature("int64", minimum=1, maximum=4, optional=self.optional, derived=True),
            f"{name}_bytes": Feature("int64", minimum=1, optional=self.optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not value:
            raise BadValue("the file is empty")
        from data.media.pictures import decodable, shrunk

        picture = decodable(value, self.min_size, self.max_size)
        if self.in_a_folder and self.longest_learnt is not None:
            picture = shrunk(picture, self.longest_learnt)
        return {
            name: picture.content,
            f"{name}_width": picture.width,
            f"{name}_height": picture.height,
            f"{name}_channels": picture.channels,
            f"{name}_bytes": len(picture.content),
        }

    def remarks(self, name: str, features: Mapping[str, Value]) -> Sequence[str]:
        from data.media.pictures import remarks

        return remarks(cast(bytes, features[name])) if name in features else ()

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        return samples.png(samples.picture(subject))
