"""A film gives frames that are spread evenly over its time, upright and small, or is a bad record in words."""

import io
import re
from fractions import Fraction

import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from data.columns import Video
from data.errors import BadValue
from data.media import videos
from data.media.films import write_film
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


@pytest.mark.parametrize(
    ("codec", "kind", "suffix"),
    [
        ("libx265", "mp4", ".mp4"),
        ("libx264", "mov", ".mov"),
        ("libx264", "matroska", ".mkv"),
        ("libvpx-vp9", "webm", ".webm"),
        ("mjpeg", "avi", ".avi"),
        ("mpeg2video", "mpegts", ".ts"),
        ("wmv2", "asf", ".wmv"),
        ("flv1", "flv", ".flv"),
    ],
)
def test_files_as_people_have_them_are_read(tmp_path, codec, kind, suffix):
    assert suffix in Video.suffixes
    write_film(tmp_path / "a", shades(range(0, 240, 8)), 15, codec=codec, container=kind, pixel_format=_format(codec))
    with (tmp_path / "a").open("rb") as file:
        found = sample_frames(file, 3, 64, 60)
    assert found.seconds == pytest.approx(2, abs=0.2)
    assert levels(found) == pytest.approx([40, 120, 200], abs=16)


def _format(codec):
    return "yuvj420p" if codec == "mjpeg" else None


def shades(of, size=(64, 48)):
    return [np.full((size[1], size[0], 3), shade, np.uint8) for shade in of]


@pytest.mark.parametrize("size", [(63, 47), (33, 1), (2, 90)])
def test_sizes_may_be_odd(tmp_path, size):
    write_film(tmp_path / "a.avi", shades([50, 150], size), 5, codec="ffv1", pixel_format="bgr0")
    found = sample_frames((tmp_path / "a.avi").read_bytes(), 2, 40, 60)
    assert (found.source_width, found.source_height) == size
    assert max(found.width, found.height) == min(40, max(size))
    assert found.width / found.height == pytest.approx(size[0] / size[1], rel=0.6)


def test_a_film_of_one_frame_has_one(tmp_path):
    write_film(tmp_path / "a.mp4", shades([77]), 10)
    found = sample_frames((tmp_path / "a.mp4").read_bytes(), 8, 64, 60)
    assert levels(found) == pytest.approx([77], abs=6) and 0 < found.seconds <= 0.2


def test_pixels_that_are_not_square_are_shown_as_they_should_be(tmp_path):
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 1)
        for shade in shades([100] * 4, (32, 48)):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(shade, "rgb24")))
        file.mux(stream.encode(None))
    found = sample_frames((tmp_path / "a.mkv").read_bytes(), 2, 96, 60)
    assert (found.width, found.height) == (96, 48)


def several(path, container="matroska", covers=(), films=((200, 40),), seconds=2.0, sound_seconds=0.0, codec="mpeg4"):
    """A file of several streams: pictures that stand, films of one shade and a width, and a sound."""
    import av

    with av.open(str(path), "w", format=container) as file:
        streams = []
        for _ in covers:
            stream = file.add_stream("mjpeg", rate=1)
            stream.width, stream.height, stream.pix_fmt = 400, 400, "yuvj420p"
            stream.disposition = Disposition.attached_pic
            streams.append((stream, shades([255], (400, 400))))
        for shade, width in films:
            stream = file.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = width, 40, "yuv420p"
            streams.append((stream, shades([shade] * int(10 * seconds), (width, 40))))
        sound = file.add_stream("mp2", rate=16000, layout="mono") if sound_seconds else None
        for stream, frames in streams:
            for frame in frames:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
            file.mux(stream.encode(None))
        for start in range(0, int(16000 * sound_seconds), 1152):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 16000, start
            file.mux(sound.encode(frame))
        if sound:
            file.mux(sound.encode(None))
    return path.read_bytes()


def test_of_several_streams_the_largest_is_taken_and_no_cover(tmp_path):
    content = several(tmp_path / "a", "mp4", covers=[1], films=[(60, 40), (200, 160)], sound_seconds=1.0)
    assert levels(sample_frames(content, 2, 64, 60)) == pytest.approx([200, 200], abs=6)
    with pytest.raises(BadValue, match="but a cover"):
        sample_frames(several(tmp_path / "b", "mp4", covers=[1], films=[], sound_seconds=1.0), 2, 64, 60)


def test_a_sound_that_goes_on_does_not_make_a_film_cut(tmp_path):
    found = sample_frames(several(tmp_path / "a", seconds=1.0, sound_seconds=4.0), 2, 64, 60)
    assert found.seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("codec", "kind"), [("libx264", "matroska"), ("mpeg4", "avi"), ("libvpx", "webm")])
def test_a_tail_that_is_cut_off_is_read_up_to_the_cut_or_told(tmp_path, codec, kind):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(60)]
    write_film(tmp_path / "a", frames, 10, codec=codec, container=kind)
    content = (tmp_path / "a").read_bytes()
    found = sample_frames(content[: int(0.97 * len(content))], 4, 64, 60)
    assert len(found.frames) == 4 and 5.2 < found.seconds <= 6.1
    with pytest.raises(BadValue, match=r"cut short: \d\.\d\d of [3-6]\.\d\d seconds|cannot be decoded"):
        sample_frames(content[: len(content) // 2], 4, 64, 60)


def test_damage_inside_is_passed_over_and_much_of_it_is_told(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(60)]
    write_film(tmp_path / "a.avi", frames, 10, codec="png", pixel_format="rgb24")
    content = bytearray((tmp_path / "a.avi").read_bytes())
    places = [found.start() for found in re.finditer(b"\x89PNG", content)]
    for place in places[10:12]:
        content[place + 200 : place + 340] = bytes(140)
    assert len(sample_frames(bytes(content), 6, 64, 60).frames) == 6
    for place in places[10:50]:
        content[place + 200 : place + 340] = bytes(140)
    with pytest.raises(BadValue, match=r"\d\d of 60 frames cannot be decoded"):
        sample_frames(bytes(content), 6, 64, 60)


def test_an_hour_is_sought_through_and_not_decoded(tmp_path, monkeypatch):
    hour = [*range(0, 3600, 1)]
    frames = (np.full((16, 16, 3), 255 * number // 3600, np.uint8) for number in hour)
    write_film(tmp_path / "a.mp4", frames, 1, options={"g": "50", "preset": "ultrafast"})
    seen = []
    monkeypatch.setattr(videos, "_decoded", lambda packet, whole=videos._decoded: seen.append(packet) or whole(packet))
    with (tmp_path / "a.mp4").open("rb") as file:
        found = sample_frames(file, 8, 64, 7200)
    assert found.seconds == pytest.approx(3600, abs=2)
    assert levels(found) == pytest.approx([255 * (2 * part + 1) / 16 for part in range(8)], abs=4)
    assert len(seen) < 8 * 80
    monkeypatch.setattr(videos, "_READ_THROUGH", 10_000)
    assert sample_frames((tmp_path / "a.mp4").read_bytes(), 8, 64, 7200) == found


def test_frames_too_large_for_any_memory_are_refused(tmp_path, monkeypatch):
    write_film(tmp_path / "a.mp4", shades([77] * 3), 10)
    monkeypatch.setattr(videos, "_MAX_PIXELS", 1000)
    with pytest.raises(BadValue, match="64 x 48 pixels are too large"):
        sample_frames((tmp_path / "a.mp4").read_bytes(), 8, 64, 60)
