"""Masks in the graph: fitted to a canvas by the nearest pixel, cut beside their pictures, and written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from data.media.palettes import VOID, voc_palette
from trainer.backend import tf
from trainer.features import images, masks


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (40, 33)])
def test_an_indexed_png_has_the_numbers_and_voc_s_colours(shape: tuple[int, int]) -> None:
    numbers = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    content = tf.function(masks.indexed_png)(tf.constant(numbers)).numpy()
    with Pillow.open(io.BytesIO(content)) as picture:
        picture.verify()  # the checksums, too
    with Pillow.open(io.BytesIO(content)) as picture:
        assert picture.mode == "P"
        assert np.asarray(picture).tolist() == numbers.tolist()
        assert np.asarray(picture.convert("RGB")).tolist() == voc_palette()[numbers].tolist()


def test_a_mask_lies_on_the_canvas_where_its_picture_lies() -> None:
    """Twice as wide as high, on a square: below it is nothing."""
    numbers = np.zeros((20, 40), np.uint8)
    numbers[5:15, 10:30] = 7
    picture = np.repeat(np.where(numbers == 7, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    table = np.full((1, 256), VOID, np.uint8)
    table[0, [0, 7]] = 1, 0
    mask = masks.decode_fitted(tf.constant([png(numbers)]), tf.constant(table), 16, 16).numpy()[0]
    canvas, size = images.decode_fitted(tf.constant([png(picture)]), 16, 16)
    assert set(np.unique(mask[:8])) == {0, 1} and (mask[8:] == VOID).all()
    assert size.numpy().tolist() == [[20, 40]] and not canvas.numpy()[0, 8:].any()
    assert np.mean((canvas.numpy()[0, :8, :, 0] > 127) == (mask[:8] == 0)) > 0.95


def test_a_window_of_a_picture_is_that_of_its_mask_and_another_with_another_seed() -> None:
    rows, columns = np.mgrid[0:12, 0:20]
    numbers = (12 * columns + rows).astype(np.uint8)[None].repeat(16, axis=0)
    cut = [masks.random_window(numbers[..., None], numbers, (6, 8), tf.constant([0, s], tf.int64)) for s in (1, 1, 2)]
    parts, of_masks = zip(*((picture.numpy()[..., 0], mask.numpy()) for picture, mask in cut), strict=True)
    assert all((part == mask).all() and part.shape == (16, 6, 8) for part, mask in zip(parts, of_masks, strict=True))
    assert (parts[0] == parts[1]).all() and not (parts[0] == parts[2]).all()
    mirrored = parts[0][:, 0, 0] > parts[0][:, 0, -1]
    assert 0 < mirrored.sum() < 16
    assert len({tuple(part[0, :2]) for part in parts[0]}) > 4


def test_void_pixels_are_in_no_loss() -> None:
    logits = tf.random.stateless_normal([2, 3, 4, 5], [0, 1])
    truth = np.random.default_rng(1).integers(0, 5, (2, 3, 4)).astype(np.uint8)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(truth.astype(int), logits).numpy()
    assert masks.cross_entropy(truth, logits).numpy() == pytest.approx(expected.mean(axis=(1, 2)), rel=1e-5)
    truth[0, 0], truth[1] = VOID, masks.UNSEEN
    found = masks.cross_entropy(truth, logits).numpy()
    assert found == pytest.approx([expected[0, 1:].mean(), 0.0], rel=1e-5)


def test_dice_is_of_the_classes_that_a_batch_shows_and_leaves_out_void() -> None:
    truth = np.array([[[0, 0, 2, VOID]]], np.uint8)
    sure = 50 * tf.one_hot([[[0, 2, 2, 1]]], 4)
    expected = ((2 * 1 + 1) / (2 + 1 + 1) + (2 * 1 + 1) / (1 + 2 + 1)) / 2
    assert float(masks.dice_loss(truth, sure)) == pytest.approx(1 - expected, abs=1e-5)
    assert float(masks.dice_loss(np.full_like(truth, VOID), sure)) == pytest.approx(1.0)
    both = masks.cross_entropy_and_dice(truth, sure).numpy()
    assert both == pytest.approx(masks.cross_entropy(truth, sure).numpy() + 1 - expected, abs=1e-4)


def test_an_entry_of_the_vocabulary_is_a_name_that_may_hold_anything_and_a_number() -> None:
    assert masks.entry_parts("a (b) (12)") == ("a (b)", 12)
