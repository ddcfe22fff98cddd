"""Patches: where they lie, and that small and large ones are drawn alike."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from trainer.backend import tf
from trainer.features import patches


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def places(height: int, width: int) -> np.ndarray:
    """A picture whose pixels say where they are."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def test_patches_are_parts_of_their_picture_spread_over_all_of_it() -> None:
    [cut] = patches.cut(tf.constant([png(places(100, 60))]), 24, 16).numpy()
    assert cut.shape == (24, 16, 16, 3)
    for patch in cut:
        top, left = patch[0, 0, :2]
        assert np.array_equal(patch, places(100, 60)[top : top + 16, left : left + 16])
    corners = cut[:, 0, 0, :2].astype(int)
    for axis, room in ((0, 84), (1, 44)):
        counts, _ = np.histogram(corners[:, axis], bins=4, range=(0, room))
        assert counts.min() >= 4, "of 24, six would lie in each quarter"


def test_pictures_of_any_sizes_give_patches_of_one() -> None:
    pictures = [png(places(*size)) for size in ((1, 1), (5, 40), (40, 40))]
    cut = patches.cut(tf.constant(pictures), 3, 8, border=2).numpy()
    assert cut.shape == (3, 3, 12, 12, 3)
    assert not cut[0].any()
    assert set(np.unique(cut[1][..., 0])) == set(range(5)), "beyond its edge a picture's edge is repeated"


@pytest.mark.parametrize("step", range(6))
def test_two_stacks_are_drawn_alike(step: int) -> None:
    large = np.random.default_rng(1).integers(0, 256, (4, 5, 8, 8, 3), np.uint8)
    small = large[:, :, ::2, ::2]
    seed = tf.constant([7, step], tf.int64)
    drawn = {8: patches.drawn(tf.constant(large), seed).numpy(), 4: patches.drawn(tf.constant(small), seed).numpy()}
    assert drawn[8].shape == (4, 8, 8, 3) and drawn[4].shape == (4, 4, 4, 3)
    assert np.array_equal(np.sort(drawn[4].ravel()), np.sort(_every_other(drawn[8], large, small).ravel()))


def _every_other(drawn: np.ndarray, large: np.ndarray, small: np.ndarray) -> np.ndarray:
    """The small patches that belong to the large ones drawn, not turned."""
    found = []
    for number, patch in enumerate(drawn):
        content = np.sort(patch.ravel())
        [which] = [i for i in range(large.shape[1]) if np.array_equal(np.sort(large[number, i].ravel()), content)]
        found.append(small[number, which])
    return np.stack(found)


def test_without_a_seed_it_is_the_first_as_it_is() -> None:
    stack = tf.random.stateless_uniform([2, 3, 4, 4, 3], [0, 1])
    assert np.array_equal(patches.drawn(stack, None), stack[:, 0])
