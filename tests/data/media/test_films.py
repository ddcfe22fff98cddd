"""A film that was written is read again, with the times at which its frames are shown."""

import numpy as np
import pytest

from data.media.films import write_film


def shades(count):
    return [np.full((16, 32, 3), 20 * n, np.uint8) for n in range(count)]


@pytest.mark.parametrize("times", [None, [0.0, 0.1, 0.45, 2.0]])
@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "libx264"), (".webm", "libvpx"), (".mkv", "mpeg4")])
def test_frames_are_shown_when_they_should_be(tmp_path, suffix, codec, times):
    import av

    path = tmp_path / f"a{suffix}"
    write_film(path, shades(4), 2.5, codec=codec, times=times)
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    found = [frame.time - frames[0].time for frame in frames]
    assert found == pytest.approx(times or [0, 0.4, 0.8, 1.2], abs=0.02)
    assert [int(frame.to_ndarray(format="gray")[0, 0]) for frame in frames] == pytest.approx([0, 20, 40, 60], abs=6)


def test_the_same_frames_make_the_same_file(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, shades(9), 12, options={"preset": "ultrafast"})
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
