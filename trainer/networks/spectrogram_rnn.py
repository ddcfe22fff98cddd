"""Convolutions and a recurrent layer over spectrograms (Choi et al. 2017), for what shows in the course of a sound.

Imports Keras when called.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf

BLOCKS = 3


def spectrogram_rnn(window: Any, filters: int, units: int) -> Any:
    """Convolutions of 3 x 3, halved in bands after each and once in time, then a GRU in both directions.

    Args:
      window: Keras tensor `[batch, frames, bands]`, of any scale: it is normalised band by band.
      filters: of the first convolution; each further one doubles them.
      units: of the GRU, each way.

    Returns:
      Keras tensor `[batch, 4 * units]`: mean and maximum over time of what the GRU gives.
    """
    layers = tf.keras.layers
    x = layers.BatchNormalization(momentum=0.9, scale=False, center=False)(window)
    x = layers.Reshape((*window.shape[1:], 1))(x)
    for place in range(BLOCKS):
        x = layers.Conv2D(filters << place, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D((2 if place == 0 else 1, 2), padding="same")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Bidirectional(layers.GRU(units, return_sequences=True))(x)
    return layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
