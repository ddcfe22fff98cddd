"""Pictures in the graph: their sizes and values as a viewer has them, and changes that a seed decides alone."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.media import degraded
from trainer.backend import tf
from trainer.features import images

SEED = tf.constant([3, 4], tf.int64)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def decoded(pixels: np.ndarray, height: Any, width: Any, channels: Any = 3) -> np.ndarray:
    return images.decode(tf.constant([png(pixels)]), height, width, channels)[0].numpy()


# --- decoding ---


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_the_size_asked_for_keeps_each_value(channels: int) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(8, 32)
    assert np.array_equal(decoded(grey, 8, 32, channels), np.repeat(grey[..., None], channels, axis=-1))
    if channels == 3:
        assert np.array_equal(decoded(noise(5, 7, 3), 5, 7), noise(5, 7, 3))


def test_an_enlarged_picture_is_interpolated_between_the_centres_of_pixels() -> None:
    pixels = np.array([[0, 100]], np.uint8)
    assert decoded(pixels, 2, 4, 1)[..., 0].tolist() == [[0, 25, 75, 100]] * 2


def test_a_shrunk_picture_is_averaged_and_fine_patterns_become_grey() -> None:
    board = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (8, 8))
    assert np.abs(decoded(board, 4, 4, 1).astype(int) - 127.5).max() < 3


@pytest.mark.parametrize(("height", "width"), [(5, 9), (40, 50), (7, 60)])
def test_sizes_are_changed_as_pillow_changes_them(height: int, width: int) -> None:
    pixels = noise(20, 30, 3)
    expected = np.asarray(Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BILINEAR))
    made = decoded(pixels, height, width)
    assert made.shape == (height, width, 3) and made.dtype == np.uint8
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_one_channel_is_the_luma_that_pillow_computes() -> None:
    colours = np.concatenate([255 * np.eye(3, dtype=np.uint8)[None], noise(1, 61, 3)], axis=1)
    luma = np.asarray(Pillow.fromarray(colours).convert("L"))
    assert np.abs(decoded(colours, 1, 64, 1)[..., 0].astype(int) - luma).max() <= 1


def test_pictures_of_many_sizes_and_formats_make_one_batch_and_their_sizes_are_told() -> None:
    jpeg = io.BytesIO()
    Pillow.fromarray(np.full((20, 10, 3), [200, 100, 50], np.uint8)).save(jpeg, "JPEG", quality=95)
    encoded = tf.constant([png(noise(4, 6, 3)), png(np.full((9, 3), 77, np.uint8)), jpeg.getvalue()])
    pictures, sizes = images.decode_sized(encoded, 8, 5)
    assert pictures.shape == [3, 8, 5, 3]
    assert sizes.numpy().tolist() == [[4, 6], [9, 3], [20, 10]]
    assert (pictures[1] == 77).numpy().all()
    assert np.abs(pictures[2].numpy().astype(int) - [200, 100, 50]).max() <= 3


def test_sizes_may_be_tensors_and_what_is_known_of_them_is_kept() -> None:
    graph = tf.function(
        lambda encoded, side, channels: images.decode(encoded, side, 6, channels),
        input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.int32)],
    )
    made = graph.get_concrete_function()
    assert made.structured_outputs.shape.as_list() == [None, None, 6, None]
    assert graph(tf.constant([png(noise(4, 4, 3))]), 5, 1).shape == [1, 5, 6, 1]
    assert graph(tf.constant([png(noise(4, 4, 3))]), 7, 3).shape == [1, 7, 6, 3]


def test_a_picture_is_brought_to_the_size_and_the_channels_of_another() -> None:
    made = images.decode_like(tf.constant([png(noise(4, 6, 3))]), tf.zeros([2, 3, 5, 1], tf.uint8))
    assert np.array_equal(made[0], decoded(noise(4, 6, 3), 3, 5, 1))
    open_sizes = tf.function(images.decode_like).get_concrete_function(
        tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None, 5, 1], tf.uint8)
    )
    assert open_sizes.structured_outputs.shape.as_list() == [None, None, 5, 1]


@pytest.mark.parametrize(
    ("size", "fitted"), [((10, 20), (6, 12)), ((20, 10), (8, 4)), ((4, 6), (8, 12)), ((1, 100), (1, 12))]
)
def test_a_fitted_picture_keeps_its_shape_and_is_black_beside(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    [picture], [came] = images.decode_fitted(tf.constant([png(np.full((*size, 3), 99, np.uint8))]), 8, 12)
    expected = np.zeros((8, 12, 3), np.uint8)
    expected[: fitted[0], : fitted[1]] = 99
    assert np.array_equal(picture, expected) and came.numpy().tolist() == list(size)


def test_a_whole_picture_has_its_own_size_and_three_channels() -> None:
    grey = noise(5, 3)
    assert np.array_equal(images.decode_whole(tf.constant(png(grey))), np.repeat(grey[..., None], 3, axis=-1))


def test_the_middle_in_the_graph_is_that_of_files() -> None:
    pixels, bounds = noise(9, 11, 3), [(8, 10), (4, 5), (9, 11)]
    assert np.array_equal(images.middle(tf.constant(pixels), 8, 10), degraded.middle(png(pixels), even=True))
    heights, widths = (tf.constant(sides, tf.int64) for sides in zip(*bounds, strict=True))
    encoded = images.encode_middles(tf.constant([png(pixels)] * 3), heights, widths).numpy()
    opened = [np.asarray(Pillow.open(io.BytesIO(one))) for one in encoded]
    for made, expected in zip(opened, (pixels[:8, :10], pixels[2:6, 3:8], pixels), strict=True):
        assert np.array_equal(made, expected)


# --- changes by chance ---


def shift_of(picture: np.ndarray, moved: np.ndarray, most: tuple[int, int]) -> tuple[int, int]:
    """By how many rows and columns it was moved, with its edge repeated where it moved in; fails where by none."""
    height, width = picture.shape[:2]
    for down in range(-most[0], most[0] + 1):
        for right in range(-most[1], most[1] + 1):
            rows, columns = np.arange(height) + down, np.arange(width) + right
            if np.array_equal(picture[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)], moved):
                return down, right
    raise AssertionError("it is no shift of the picture by whole pixels")


def test_a_shift_moves_whole_pixels_fills_with_the_edge_and_reaches_its_bounds() -> None:
    pictures = noise(200, 10, 20, 3)
    moved = images.random_shift(tf.constant(pictures), 0.2, SEED)
    shifts = {shift_of(picture, one, (2, 4)) for picture, one in zip(pictures, moved.numpy(), strict=True)}
    assert {down for down, _ in shifts} == set(range(-2, 3)) and {right for _, right in shifts} == set(range(-4, 5))


def test_a_shift_by_nothing_is_none() -> None:
    pictures = noise(3, 4, 4, 1)
    assert np.array_equal(images.random_shift(tf.constant(pictures), 0.0, SEED), pictures)


CHANGES = {
    "shift": lambda pictures, seed: images.random_shift(pictures, 0.3, seed),
    "mirror": images.random_mirror,
    "light": lambda pictures, seed: images.random_light(pictures, 0.3, seed),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_seed_decides_a_change_and_another_seed_another(change: Any) -> None:
    pictures = tf.constant(noise(16, 8, 8, 3))
    first, again, other = (change(pictures, tf.constant([1, last], tf.int64)).numpy() for last in (5, 5, 6))
    assert first.shape == pictures.shape and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_light_multiplies_and_shifts_each_channel_within_its_strength() -> None:
    ramp = np.arange(78, 178, dtype=np.uint8)
    pictures = np.broadcast_to(ramp[None, None, :, None], (50, 1, 100, 3))
    made = images.random_light(tf.constant(pictures), 0.2, SEED).numpy()[:, 0]
    lines = [np.polyfit(ramp - 127.5, one[:, channel], 1) for one in made for channel in range(3)]
    gains, shifts = np.array(lines).T
    fits = np.array([np.polyval(line, ramp - 127.5) for line in lines]).reshape(50, 3, 100).transpose(0, 2, 1)
    assert np.abs(fits - made).max() < 1.1, "no straight line"
    assert np.abs(gains - 1).max() < 0.21 and np.abs(shifts + 0.5 - 127.5).max() < 0.2 * 127.5 + 1
    assert np.ptp(gains) > 0.2 and np.ptp(shifts) > 0.2 * 127.5
    assert np.ptp(np.reshape(shifts, (50, 3)), axis=1).max() > 5, "all channels alike"
    assert np.array_equal(images.random_light(tf.constant(pictures), 0.0, SEED), pictures)


PICTURES = np.random.default_rng(0).integers(0, 256, (8, 9, 13, 3), np.uint8)


def moved(**most: float) -> np.ndarray:
    options = {"turn": 0.0, "scale": 0.0, "shift": 0.0} | most
    mirror = bool(options.pop("mirror", 0))
    seed = tf.constant([1, 2], tf.int64)
    return images.random_affine(tf.constant(PICTURES), **options, mirror=mirror, seed=seed).numpy()


def test_pictures_that_may_not_move_stay_as_they_are() -> None:
    assert (moved() == PICTURES).all()


def test_half_are_mirrored_about_their_middle() -> None:
    found = moved(mirror=1)
    mirrored = [(one == was[:, ::-1]).all() for one, was in zip(found, PICTURES, strict=True)]
    assert 1 <= sum(mirrored) < len(PICTURES)
    assert all((one == was).all() or turned for one, was, turned in zip(found, PICTURES, mirrored, strict=True))


def test_each_is_turned_scaled_and_moved_otherwise_and_equally_for_equal_seeds() -> None:
    options = {"turn": 0.3, "scale": 0.2, "shift": 0.2}
    assert (moved(**options) == moved(**options)).all()
    assert all((one != was).mean() > 0.5 for one, was in zip(moved(**options), PICTURES, strict=True))


def test_about_half_of_the_pictures_are_mirrored_by_their_seed() -> None:
    pictures = np.arange(200 * 2 * 3, dtype=np.uint8).reshape(200, 2, 3, 1)
    seed = tf.constant([3, 4], tf.int64)
    found = images.random_mirror(tf.constant(pictures), seed).numpy()
    mirrored = np.array([np.array_equal(a, b[:, ::-1]) for a, b in zip(found, pictures, strict=True)])
    kept = np.array([np.array_equal(a, b) for a, b in zip(found, pictures, strict=True)])
    assert np.all(mirrored ^ kept) and 60 < mirrored.sum() < 140
    np.testing.assert_array_equal(images.random_mirror(tf.constant(pictures), seed), found)
    assert not np.array_equal(images.random_mirror(tf.constant(pictures), seed + 1), found)


# --- full passes ---


def test_sizes_and_channels_come_from_the_whole_train_split(tmp_path: Any) -> None:
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    rows = [
        {"side": side, "grey": grey, "colour": colour}
        for side, grey, colour in zip([28, 30, 500, 31, 27], [1, 2, 1, 1, 2], [1, 1, 4, 1, 1], strict=True)
    ]
    schema = schema_utils.schema_from_feature_spec(dict.fromkeys(rows[0], tf.io.FixedLenFeature([], tf.int64)))

    def preprocessing_fn(inputs: Any) -> Any:
        found = {
            "median": images.typical_side(inputs["side"], at_most=96),
            "bounded": images.typical_side(inputs["side"], at_most=16),
            "grey": images.needed_channels(inputs["grey"]),
            "colour": images.needed_channels(inputs["colour"]),
        }
        return {name: tf.cast(value, tf.int64) + 0 * inputs["side"] for name, value in found.items()}

    with tft_beam.Context(temp_dir=str(tmp_path / "temp")):
        function = (rows, dataset_metadata.DatasetMetadata(schema)) | tft_beam.AnalyzeDataset(preprocessing_fn)
        function | tft_beam.WriteTransformFn(str(tmp_path / "graph"))
    layer = tft.TFTransformOutput(str(tmp_path / "graph")).transform_features_layer()
    found = layer({name: tf.constant([1], tf.int64) for name in rows[0]})
    assert {name: int(value[0]) for name, value in found.items()} == {
        "median": 30,
        "bounded": 16,
        "grey": 1,
        "colour": 3,
    }


def test_a_picture_is_brought_within_a_longer_side_and_filled_up_to_a_step() -> None:
    picture = tf.constant(np.arange(30 * 20 * 3, dtype=np.int64).reshape(30, 20, 3) % 256, tf.uint8)
    assert images.within(picture, 15).shape == (15, 10, 3)
    assert np.array_equal(images.within(picture, 30), picture)
    filled = images.filled_up(picture, 8).numpy()
    assert filled.shape == (32, 24, 3) and np.array_equal(filled[:30, :20], picture)
    assert np.array_equal(filled[30], filled[28]) and np.array_equal(filled[:, 23], filled[:, 15])
    framed = images.filled_up(picture, 8, 5).numpy()
    assert framed.shape == (40, 32, 3)
    assert np.array_equal(framed, np.pad(picture, ((5, 5), (5, 7), (0, 0)), mode="reflect"))
    assert images.filled_up(picture[:1, :1], 8).shape == (16, 16, 3), "two steps at least"
