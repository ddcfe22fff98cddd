"""A film gives frames that are spread evenly over its time, upright and small, or is a bad record in words."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from data.errors import BadValue
from data.media.videos import sample_frames


def film(path, frames, rate=10, codec="mpeg4", kind="mp4", size=(64, 48), times=None):
    """A film whose frame i is grey of the level `frames[i]`, its left upper quarter white."""
    import av

    with av.open(str(path), "w", format=kind) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for number, level in enumerate(frames):
            pixels = np.full((size[1], size[0], 3), level, np.uint8)
            pixels[: size[1] // 2, : size[0] // 2] = 255
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts = times[number] if times else number
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)
    return path.read_bytes()


def levels(found):
    """The grey of the right lower corner of each frame."""
    pictures = [np.asarray(Pillow.open(io.BytesIO(frame)).convert("L")) for frame in found.frames]
    return [int(picture[-4, -4]) for picture in pictures]


@pytest.mark.parametrize(
    ("codec", "kind"), [("mpeg4", "mp4"), ("libx264", "mp4"), ("libvpx", "webm"), ("mpeg4", "avi"), ("gif", "gif")]
)
def test_frames_are_spread_evenly_over_the_time(tmp_path, codec, kind):
    content = film(tmp_path / f"a.{kind}", range(0, 240, 6), codec=codec, kind=kind)
    found = sample_frames(content, count=4, max_side=32, max_seconds=60)
    assert found.seconds == pytest.approx(4, abs=0.15)
    assert found.rate == pytest.approx(10, abs=0.5)
    assert (found.width, found.height, found.source_width, found.source_height) == (32, 24, 64, 48)
    assert levels(found) == pytest.approx([30, 90, 150, 210], abs=24 if kind == "gif" else 10)


def test_a_film_of_a_changing_rate_is_sampled_by_its_time(tmp_path):
    times = [0, 1, 2, 3, 4, 5, 6, 7, 30]  # the eighth frame stands for most of the film
    content = film(tmp_path / "a.mp4", [0, 10, 20, 30, 40, 50, 60, 120, 240], times=times)
    assert levels(sample_frames(content, 4, 64, 60)) == pytest.approx([30, 120, 120, 120], abs=12)


def test_a_short_film_gives_all_its_frames(tmp_path):
    found = sample_frames(film(tmp_path / "a.mp4", [20, 120, 220]), 8, 64, 60)
    assert levels(found) == pytest.approx([20, 120, 220], abs=8)


def test_a_film_that_was_filmed_on_its_side_is_turned_upright(tmp_path):
    content = film(tmp_path / "a.mp4", [100] * 5)
    upright = b"".join(value.to_bytes(4, "big") for value in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    clockwise = (0, 1 << 16, 0, 0xFFFF0000, 0, 0, 48 << 16, 0, 1 << 30)
    place = content.index(upright, content.index(b"tkhd"))
    turned = b"".join(value.to_bytes(4, "big") for value in clockwise)
    found = sample_frames(content[:place] + turned + content[place + 36 :], 1, 64, 60)
    assert (found.width, found.height, found.source_width, found.source_height) == (48, 64, 48, 64)
    picture = np.asarray(Pillow.open(io.BytesIO(found.frames[0])).convert("L"))
    assert picture[8, 40] > 230  # the left upper quarter has gone to the right
    assert picture[8, 8] < 120


def test_bounds_and_cuts_are_refused_in_words(tmp_path):
    content = film(tmp_path / "a.avi", range(100), kind="avi")
    with pytest.raises(BadValue, match=r"10\.00 seconds; must be 0 to 5"):
        sample_frames(content, 4, 64, 5)
    with pytest.raises(BadValue, match="cut short|cannot be decoded"):
        sample_frames(content[: len(content) // 3], 4, 64, 60)
    content = film(tmp_path / "a.mp4", range(100))
    with pytest.raises(BadValue, match="cut short|cannot be decoded"):
        sample_frames(content[: len(content) // 3], 4, 64, 60)


@settings(deadline=None)  # a first import takes its time
@given(st.binary(max_size=300), st.sampled_from([b"", b"GIF89a", b"\0\0\0\x18ftypisom", b"RIFF\0\0\0\0AVI LIST"]))
def test_no_other_failure_comes_of_damaged_bytes(rest, start):
    with pytest.raises(BadValue):
        sample_frames(start + rest, 4, 64, 60)


def test_a_sound_is_no_film():
    from tests.data.media.test_sounds import written

    with pytest.raises(BadValue):
        sample_frames(written("FLAC", "PCM_16"), 4, 64, 60)
