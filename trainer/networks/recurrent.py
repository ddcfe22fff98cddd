"""Layers of LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014), as quick to build as the machine allows.

Keras's own layers choose cuDNN's kernel when they run. For that they trace each layer three times, and its gradients as
often, which takes seconds a layer in training, in the export and in all that loads the model; without a GPU all of it
but one is for nothing. The cells, their weights and what they compute are the same. Imports TensorFlow; import it where
it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def lstm(units: int, **options: Any) -> Any:
    """A layer of LSTM; `options` are those of `tf.keras.layers.RNN`."""
    layers = tf.keras.layers
    return layers.LSTM(units, **options) if _has_gpu() else layers.RNN(layers.LSTMCell(units), **options)


def gru(units: int, **options: Any) -> Any:
    """A layer of GRU; `options` are those of `tf.keras.layers.RNN`."""
    layers = tf.keras.layers
    return layers.GRU(units, **options) if _has_gpu() else layers.RNN(layers.GRUCell(units), **options)


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))
