"""The frames that a column keeps of a video come out of the graph again, as many as are asked for."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Video, samples
from data.media.videos import pack
from trainer.backend import load_tensorflow
from trainer.features import videos


def grey(levels, size=(24, 16)):
    """A packed video whose frame i is grey of the level `levels[i]`."""
    frames = []
    for level in levels:
        out = io.BytesIO()
        Pillow.new("RGB", size, (level, level, level)).save(out, "JPEG", quality=90)
        frames.append(out.getvalue())
    return pack(frames)


def shown(decoded):
    """The grey of each frame of each video."""
    return decoded.numpy().mean(axis=(2, 3, 4)).round().astype(int).tolist()


def test_what_the_column_encodes_is_decoded_to_the_frames_of_the_file():
    made = [samples.frames(samples.subject(hour, hour, np.random.default_rng(hour))) for hour in range(3)]
    encoded = [Video().encode("v", samples.gif(film).content)["v"] for film in made]
    decoded = videos.decode(encoded, samples.FRAMES, samples.HEIGHT, samples.WIDTH, 3)
    assert decoded.dtype == "uint8"
    assert decoded.shape == (3, samples.FRAMES, samples.HEIGHT, samples.WIDTH, 3)
    error = np.abs(decoded.numpy().astype(int) - np.stack(made))
    assert error.mean() < 16
    reversed_error = np.abs(decoded.numpy()[:, ::-1].astype(int) - np.stack(made))
    assert error.mean() < reversed_error.mean() / 1.5  # each frame in its place


def test_noise_is_taken_apart_where_it_was_put_together():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (30, 48, 64, 3), dtype=np.uint8)
    frames = []
    for picture in pictures:
        out = io.BytesIO()
        Pillow.fromarray(picture).save(out, "JPEG", quality=90)
        frames.append(out.getvalue())
    [decoded] = videos.decode([pack(frames)], 30, 48, 64, 3).numpy()
    for frame, content in zip(decoded, frames, strict=True):
        assert np.abs(frame.astype(int) - np.asarray(Pillow.open(io.BytesIO(content)))).max() < 8


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (1, [[20], [100]]),
        (2, [[20, 20], [40, 160]]),
        (4, [[20] * 4, [40, 100, 100, 160]]),
        (6, [[20] * 6, [40, 40, 100, 100, 160, 160]]),
    ],
)
def test_fewer_frames_are_shown_for_longer_and_more_are_thinned(frames, expected):
    decoded = videos.decode([grey([20]), grey([40, 100, 160])], frames, 16, 24, 1)
    assert np.abs(np.array(shown(decoded)) - expected).max() <= 2


def test_videos_of_several_sizes_come_to_one_in_a_graph_of_static_shape():
    tf = load_tensorflow()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def decode(values):
        decoded = videos.decode(values, 2, 8, 12)
        assert decoded.shape.as_list() == [None, 2, 8, 12, 3]
        return decoded

    assert shown(decode([grey([50, 200]), grey([50, 200], (7, 30))])) == [[50, 200], [50, 200]]


def clips(count=3, frames=6, height=5, width=7):
    """Each value of uint8 `[count, frames, height, width, 1]` tells its frame and its column: 10 * frame + column."""
    frame, column = np.meshgrid(np.arange(frames), np.arange(width), indexing="ij")
    told = (10 * frame + column).astype(np.uint8)[None, :, None, :, None]
    return np.broadcast_to(told, (count, frames, height, width, 1))


def test_one_frame_of_each_stretch_is_chosen_by_chance_or_in_the_middle():
    middle = videos.choose_frames(clips(), 2).numpy()
    assert (middle[:, :, 0, 0, 0] == [10, 40]).all()
    drawn = videos.choose_frames(clips(64), 2, [1, 2]).numpy()[:, :, 0, 0, 0] // 10
    assert set(drawn[:, 0]) == {0, 1, 2} and set(drawn[:, 1]) == {3, 4, 5}
    assert (drawn == videos.choose_frames(clips(64), 2, [1, 2]).numpy()[:, :, 0, 0, 0] // 10).all()
    assert (videos.choose_frames(clips(), 6, [1, 2]).numpy() == clips()).all(), "there is nothing to choose"


def test_a_clip_is_cut_alike_in_all_frames():
    middle = videos.crop(clips(), 5).numpy()
    assert (middle == clips()[:, :, :, 1:6]).all()
    drawn = videos.crop(clips(64), 5, [3, 4]).numpy()
    assert drawn.shape == (64, 6, 5, 5, 1)
    lefts = drawn[:, :, 0, 0, 0] - 10 * np.arange(6)
    assert set(lefts[:, 0]) == {0, 1, 2} and (lefts == lefts[:, :1]).all()


def test_frames_below_one_another_and_back():
    below = videos.as_pictures(load_tensorflow().constant(clips()))
    assert below.shape == (3, 30, 7, 1) and (videos.as_clips(below, 6).numpy() == clips()).all()


@pytest.mark.parametrize(("columns", "size"), [(4, (10, 28)), (9, (5, 42)), (1, (30, 7))])
def test_frames_in_rows_and_back(columns, size):
    picture = videos.in_rows(load_tensorflow().constant(clips()), columns).numpy()
    assert picture.shape == (3, *size, 1)
    assert (videos.from_rows(picture[1], 6, columns) == clips()[1]).all()
    if columns == 4:
        assert picture[0, 0, 7, 0] == 10 and picture[0, 5, 0, 0] == 40 and not picture[0, 5:, 14:].any()
