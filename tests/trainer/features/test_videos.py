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
