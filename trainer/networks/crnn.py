"""Convolutions over time and frequency, then a recurrent layer: how sounds are told apart by their course (Choi et al.
2017). Imports Keras when called."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def crnn(window: Any, filters: int, units: int, dropout: float) -> Any:
    """Three convolutions, each followed by pooling in time and bands, and a bidirectional GRU.

    Args:
      window: Keras tensor `[batch, frames, bands]`, of any scale: it is normalised band by band.
      filters: of the first convolution; each further one doubles them.
      units: of the GRU in each direction.

    Returns:
      Keras tensor `[batch, 4 * units]`: mean and maximum over time.
    """
    layers = tf.keras.layers
    x = layers.BatchNormalization(momentum=0.9, scale=False, center=False)(window)
    x = layers.Reshape((*window.shape[1:], 1))(x)
    for place, pool in enumerate(((2, 2), (2, 2), (2, 4))):
        x = layers.Conv2D(filters << place, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(pool, padding="same")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Bidirectional(layers.GRU(units, return_sequences=True))(layers.Dropout(dropout)(x))
    return layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
