"""A convolution as most networks here have it, and how those of sounds begin. Imports Keras when called."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def convolved(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
    """A convolution of `size` x `size`, batch normalisation and ReLU: Keras tensor `[batch, height, width, channels]`
    to `[batch, height / strides, width / strides, filters]`, rounded up."""
    layers = tf.keras.layers
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))  # small data sets take few steps


def as_picture(window: Any) -> Any:
    """A stretch of sound, Keras tensor `[batch, frames, numbers]` of any scale, each number normalised over the train
    split: `[batch, frames, numbers, 1]`."""
    layers = tf.keras.layers
    x = layers.BatchNormalization(momentum=0.9, scale=False, center=False)(window)
    return layers.Reshape((*window.shape[1:], 1))(x)
