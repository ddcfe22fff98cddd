"""Pictures answered in strips are what they would be whole."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import strips


def blurred_twice(pixels: tf.Tensor) -> tf.Tensor:
    """Of a reach of 2, and twice as large."""
    values = tf.cast(pixels, tf.float32) / 255
    for _ in range(2):
        kernel = tf.eye(3)[None, None] * tf.ones([3, 3, 1, 1]) / 9
        values = tf.nn.conv2d(values, kernel, 1, "SAME")
    return tf.repeat(tf.repeat(values, 2, axis=1), 2, axis=2)


@pytest.mark.parametrize("size", [(1, 1), (37, 20), (64, 9)])
def test_there_is_no_seam(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    whole = np.rint(blurred_twice(tf.constant(picture[None]))[0].numpy() * 255)
    monkeypatch.setattr(strips, "STRIP_PIXELS", 5 * size[1])
    cut = tf.function(lambda p: strips.in_strips(p, blurred_twice, reach=2, scale=2))(tf.constant(picture))
    assert cut.shape == (2 * size[0], 2 * size[1], 3)
    assert np.abs(cut.numpy().astype(int) - whole).max() <= 1


def test_pictures_of_a_batch_keep_their_sizes() -> None:
    sizes = [(3, 5), (8, 2)]
    encoded = [tf.io.encode_png(tf.zeros([*size, 3], tf.uint8)).numpy() for size in sizes]
    answers = strips.answer_whole(tf.constant(encoded), lambda _: lambda p: tf.cast(p, tf.float32) / 255, reach=0)
    assert [tuple(tf.io.decode_png(one).shape[:2]) for one in answers] == sizes
