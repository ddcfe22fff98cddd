"""Sound files to the one form that is stored: 16-bit PCM mono WAV at the file's own rate."""

from __future__ import annotations

import io

from data.errors import BadValue


def as_wav(content: bytes, min_seconds: float, max_seconds: float) -> tuple[bytes, float, int, int]:
    """The sound as a WAV file, its length in seconds, its rate in Hz and the number of channels that it had.

    Raises:
      BadValue: it cannot be decoded to its end, or is too short or too long.
    """
    import numpy as np
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
            if not min_seconds <= frames / rate <= max_seconds:
                raise BadValue(f"{frames / rate:.2f} seconds; must be {min_seconds:g} to {max_seconds:g}")
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadValue(f"not a sound file that can be read: {error.error_string}") from None
    if len(samples) < frames:
        raise BadValue(f"the file is cut short: {len(samples)} of {frames} frames")
    mono = np.nan_to_num(samples).mean(axis=1)
    stored = io.BytesIO()
    soundfile.write(stored, mono, rate, subtype="PCM_16", format="WAV")
    return stored.getvalue(), frames / rate, rate, channels
