"""A small convolutional network over frames and coefficients, for words (Sainath & Parada 2015).

Imports Keras when called.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.convolutions import as_picture, convolved


def keyword_cnn(window: Any, filters: int) -> Any:
    """Three pairs of convolutions of 3 x 3, halved in time and coefficients after each of the first two.

    Args:
      window: Keras tensor `[batch, frames, coefficients]`, of any scale: it is normalised coefficient by coefficient.
      filters: of the first pair; each further one doubles them.

    Returns:
      Keras tensor `[batch, 8 * filters]`: mean and maximum over what is left of time and coefficients.
    """
    layers = tf.keras.layers
    x = as_picture(window)
    for place in range(3):
        x = convolved(convolved(x, filters << place), filters << place)
        if place < 2:
            x = layers.MaxPooling2D(2, padding="same")(x)
    return layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
