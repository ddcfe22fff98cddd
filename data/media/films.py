"""Films written out of frames: the one way by which data sets, tests and benchmarks make a video file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TICKS = 1000
"""Of the clock that frames are shown by, a second."""


def write_film(
    path: Path,
    frames: Iterable[Array],
    rate: float,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    times: Sequence[float] | None = None,
    container: str | None = None,
    pixel_format: str | None = None,
) -> None:
    """Writes a film without sound.

    Args:
      path: its suffix says the container where `container` does not.
      frames: uint8 `[height, width, 3]` each, all of one size; at 4:2:0, which most codecs have, of even sides.
      rate: frames a second.
      options: of the codec.
      times: when each frame is shown, in seconds, ascending; evenly at `rate` otherwise.
    """
    import av
    from av.video.reformatter import VideoReformatter

    with av.open(str(path), "w", format=container) as file:
        stream: Any = None
        scaler = VideoReformatter()
        for number, pixels in enumerate(frames):
            if stream is None:
                stream = file.add_stream(
                    codec, rate=Fraction(rate).limit_denominator(TICKS), options=dict(options or {})
                )
                stream.height, stream.width = pixels.shape[:2]
                stream.codec_context.thread_count = 1
                stream.pix_fmt = pixel_format or ("rgb8" if codec == "gif" else "yuv420p")
                if times is not None:
                    stream.codec_context.time_base = Fraction(1, TICKS)
            frame = scaler.reformat(av.VideoFrame.from_ndarray(pixels, "rgb24"), format=stream.pix_fmt, threads=1)
            frame.pts = number if times is None else round(times[number] * TICKS)
            if times is not None:
                frame.time_base = Fraction(1, TICKS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
