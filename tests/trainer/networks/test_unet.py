"""U-Net: answers as large as the picture, which see far around each pixel."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.networks.unet import stride, unet


def test_what_comes_out_is_as_large_as_what_came_in_and_sees_further_than_its_stride() -> None:
    picture = tf.keras.Input([None, None, 1])
    model = tf.keras.Model(picture, unet(picture, filters=4, depth=2))
    first = np.random.default_rng(0).normal(size=(1, 24, 32, 1)).astype(np.float32)
    changed = first.copy()
    changed[0, 12, 16] += 5
    answers = model(first).numpy(), model(changed).numpy()
    assert stride(2) == 4 and answers[0].shape == (1, 24, 32, 4)
    differs = np.argwhere(np.abs(answers[0] - answers[1]).max(axis=(0, 3)) > 0)
    reach = differs.max(axis=0) - differs.min(axis=0)
    assert (reach > 2 * stride(2)).all()
