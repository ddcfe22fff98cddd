"""Videos in files, of which a few frames are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, Value

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Video(Column):
    """A video in a file, kept as up to `max_frames` frames that are spread evenly over its time.

    The frames are JPEGs one behind the other in one value (motion JPEG, `data.media.videos.pack`), upright, with no
    side above `max_side` pixels; `trainer.features.videos.decode` decodes them inside the graph. A video of fewer
    frames keeps all it has. Its sound is left out. A file may be as large as it likes: it is read piece by piece.

    Features: that value; `NAME_frames`, how many are kept; `NAME_width` and `NAME_height` of these, in pixels;
    `NAME_seconds`, the length of the whole video, and `NAME_rate`, its own mean frames a second.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "video"
    streamed: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif"),
        *(".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".3gp"),
    )
    max_frames: int = 16
    max_side: int = 128
    max_seconds: float = 12 * 3600.0

    def features(self, name: str) -> dict[str, Feature]:
        optional = self.optional
        side = Feature("int64", minimum=1, maximum=self.max_side, optional=optional, derived=True)
        return {
            name: Feature("bytes", counted=False, optional=optional),
            f"{name}_frames": Feature("int64", minimum=1, maximum=self.max_frames, optional=optional, derived=True),
            f"{name}_width": side,
            f"{name}_height": side,
            f"{name}_seconds": Feature("float32", minimum=0, maximum=self.max_seconds, optional=optional, derived=True),
            f"{name}_rate": Feature("float32", minimum=0, optional=optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        from data.media.videos import pack, sample_frames

        film = sample_frames(value, self.max_frames, self.max_side, self.max_seconds)
        return {
            name: pack(film.frames),
            f"{name}_frames": len(film.frames),
            f"{name}_width": film.width,
            f"{name}_height": film.height,
            f"{name}_seconds": film.seconds,
            f"{name}_rate": film.rate,
        }

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        return samples.gif(samples.frames(subject))
