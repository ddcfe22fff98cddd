"""Residual networks (He et al. 2016), narrow ones for few pictures: ResNet-18's plan with fewer filters."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf

STAGES = 4
"""Each but the first halves the sides and doubles the filters."""


def resnet(picture: Any, filters: int, blocks: int) -> Any:
    """Features of a whole picture, for a last dense layer to tell classes by.

    Args:
      picture: a Keras tensor `[batch, height, width, channels]` of floats about -1 to 1.
      filters: of the first stage.
      blocks: of each stage, two convolutions each.

    Returns:
      `[batch, filters * 2 ** (STAGES - 1)]`.
    """
    layers = tf.keras.layers
    x = _convolution(picture, filters, size=7, strides=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.ReLU()(x))
    for stage in range(STAGES):
        for block in range(blocks):
            x = _block(x, filters << stage, strides=2 if stage and not block else 1)
    return layers.GlobalAveragePooling2D()(x)


def _block(x: Any, filters: int, strides: int) -> Any:
    """Two convolutions beside a shortcut, which is a convolution of 1x1 where sizes differ."""
    layers = tf.keras.layers
    shortcut = x if strides == 1 and x.shape[-1] == filters else _convolution(x, filters, size=1, strides=strides)
    x = layers.ReLU()(_convolution(x, filters, strides=strides))
    # Begins at nothing, so that a block begins as its shortcut (Goyal et al. 2017).
    x = _convolution(x, filters, gamma="zeros")
    return layers.ReLU()(layers.Add()([x, shortcut]))


def _convolution(x: Any, filters: int, size: int = 3, strides: int = 1, gamma: str = "ones") -> Any:
    layers = tf.keras.layers
    x = layers.Conv2D(filters, size, strides, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=0.9, gamma_initializer=gamma)(x)
