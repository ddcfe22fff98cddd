"""Sounds in files, kept as 16-bit mono WAV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.columns import samples
from data.columns.base import Column, Feature, FormField, Value
from data.errors import BadValue

if TYPE_CHECKING:
    import numpy as np

    from data.columns.samples import Subject


@dataclass(frozen=True, kw_only=True)
class Audio(Column):
    """A sound in a file of any rate and number of channels, kept as 16-bit mono WAV at its own rate.

    That is the one form that TensorFlow decodes inside the graph. Channels are averaged.
    """

    is_media: ClassVar[bool] = True
    noun: ClassVar[str] = "sound"
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".webm", ".amr", ".wma"),
        *(".aif", ".aiff", ".au", ".caf", ".sph"),
    )
    min_seconds: float = 0.05
    max_seconds: float = 60.0

    def features(self, name: str) -> dict[str, Feature]:
        low, high, optional = self.min_seconds, self.max_seconds, self.optional
        return {
            name: Feature("bytes", counted=False, optional=optional),
            f"{name}_seconds": Feature("float32", minimum=low, maximum=high, optional=optional, derived=True),
            f"{name}_rate": Feature("int64", minimum=1, optional=optional, derived=True),
            f"{name}_channels": Feature("int64", minimum=1, optional=optional, derived=True),
        }

    def encode(self, name: str, value: Any) -> dict[str, Value]:
        if not value:
            raise BadValue("the file is empty")
        from data.media.sounds import as_wav

        wav, seconds, rate, channels = as_wav(value, self.min_seconds, self.max_seconds)
        return {name: wav, f"{name}_seconds": seconds, f"{name}_rate": rate, f"{name}_channels": channels}

    def form(self) -> FormField:
        return FormField(kind="file", suffixes=self.suffixes, recordable=True)

    def sample(self, name: str, subject: Subject, rng: np.random.Generator) -> samples.Media:
        import io

        import soundfile

        stream = io.BytesIO()
        sound = samples.sound(subject, self.min_seconds, self.max_seconds)
        soundfile.write(stream, sound, samples.RATE, format="WAV")
        return samples.Media(".wav", stream.getvalue())
