"""Pictures in files, kept encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Image(Column):
    """A picture in a file, kept encoded (PNG, JPEG, BMP or GIF: what TensorFlow decodes inside the graph).

    Sizes are in pixels. Every picture is decoded once on the way in, so that a truncated one is found here and not
    in the middle of training.
    """

    is_media: ClassVar[bool] = True
    is_picture: ClassVar[bool] = True
    noun: ClassVar[str] = "picture"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
    min_size: int = 1
    max_size: int = 8192

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
        from data.media.pictures import decoded_shape

        width, height, channels = decoded_shape(value, self.min_size, self.max_size)
        return {
            name: value,
            f"{name}_width": width,
            f"{name}_height": height,
            f"{name}_channels": channels,
            f"{name}_bytes": len(value),
        }

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        return samples.png(samples.picture(subject))
