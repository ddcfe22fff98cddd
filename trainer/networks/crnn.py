"""Convolutions over time and frequency, then a recurrent layer: how sounds are told apart by their course (Choi et al.
2017). Imports Keras when called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer.backend import tf
from trainer.networks.convolutions import as_picture, convolved
from trainer.networks.recurrent import gru


def crnn(window: Any, filters: int, units: int, pools: Sequence[tuple[int, int]], dropout: float = 0.0) -> Any:
    """Convolutions of 3 x 3, each followed by pooling in time and bands, and a bidirectional GRU.

    Args:
      window: Keras tensor `[batch, frames, bands]`, of any scale: it is normalised band by band.
      filters: of the first convolution; each further one doubles them.
      units: of the GRU in each direction.
      pools: of each convolution how many frames and bands are made one.
      dropout: share of what the GRU reads that is left out in training.

    Returns:
      Keras tensor `[batch, 4 * units]`: mean and maximum over time.
    """
    layers = tf.keras.layers
    x = as_picture(window)
    for place, pool in enumerate(pools):
        x = layers.MaxPooling2D(pool, padding="same")(convolved(x, filters << place))
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Bidirectional(gru(units, return_sequences=True))(layers.Dropout(dropout)(x))
    return layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
