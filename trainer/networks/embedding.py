"""Embeddings of pictures, of which the angle between two says how alike they are; and how they learn to tell names.

`embedder` is a small convolutional network behind a spatial transformer, which lays pictures out alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.networks.spatial_transformer import SpatialTransformer

SCALE = 16.0
"""What cosines are multiplied with before they are logits of names."""


class Standardised(tf.keras.layers.Layer):
    """uint8 pictures to float32 of mean 0 and deviation 1, each by itself: light and contrast tell nobody apart."""

    def call(self, pictures: Any) -> Any:
        return tf.cast(tf.image.per_image_standardization(pictures), self.compute_dtype)


def embedder(shape: Any, filters: int, size: int, dropout: float) -> Any:
    """A tf.keras.Model of uint8 pictures `[batch, height, width, channels]` to embeddings float32 `[batch, size]` of
    length 1. `shape` is of one picture."""
    layers = tf.keras.layers
    picture = tf.keras.Input(shape, dtype=tf.uint8)
    x = SpatialTransformer()(Standardised()(picture))
    for width in (filters, 2 * filters, 4 * filters, 4 * filters):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(size, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, scale=False, dtype="float32")(x)
    return tf.keras.Model(picture, layers.UnitNormalization(dtype="float32")(x))


def place_among(names: Any, known: np.ndarray[Any, Any]) -> Any:
    """Where each name stands among those that are known, sorted; -1 of others: int64 `[n]` to int32 `[n]`."""
    place = tf.minimum(tf.searchsorted(known, names), len(known) - 1)
    return tf.where(tf.gather(known, place) == names, place, -1)


def name_cosines(embeddings: Any, centres: Any) -> Any:
    """Of each embedding with the centre of each name, `[batch, names]`."""
    return tf.matmul(embeddings, tf.math.l2_normalize(centres, axis=1), transpose_b=True)


def large_margin_cosine_loss(cosines: Any, place: Any, margin: float) -> Any:
    """CosFace (Wang et al. 2018): cross-entropy of names, for which the cosine with one's own has to be ahead by
    `margin`; a mean over those whose place is not -1.

    Args:
      cosines: float32 `[batch, names]`, of `name_cosines`.
      place: int `[batch]`, of one's own name.
    """
    own = tf.one_hot(place, tf.shape(cosines)[1])
    losses = tf.nn.softmax_cross_entropy_with_logits(own, SCALE * (cosines - margin * own))
    counts = tf.cast(place >= 0, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(counts * losses), tf.reduce_sum(counts))
