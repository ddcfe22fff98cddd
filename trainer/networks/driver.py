"""A network of two branches that looks at the road and at the sweep of a lidar, and says how to drive. Imports Keras;
import it where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.backend import tf


class Driver(tf.keras.Model):
    """A functional model of several answers, each learnt by the mean absolute error where its target is known.

    `call` takes `camera` uint8 `[batch, height, width, 3]`, `lidar` float32 `[batch, beams, 2]` and `speed` float32
    `[batch, 2]`, and returns float32 answers under their targets' names and of their shapes. In a target not-a-number
    is what nobody recorded; further targets are left alone.

    Attributes:
      weights_of: name of an answer -> how much its error counts, in the unit of the target.
      learnt: the answers that the train split has targets for.
    """

    weights_of: Mapping[str, float]
    learnt: frozenset[str]
    loss_tracker: Any

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        loss = tf.add_n([weight * known_error(y[name], y_pred[name]) for name, weight in self.weights_of.items()])
        self.loss_tracker.update_state(loss)
        return loss / tf.distribute.get_strategy().num_replicas_in_sync  # gradients are added up over replicas

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        return {metric.name: metric.result() for metric in self.metrics}


def known_error(target: Any, answer: Any) -> Any:
    """The mean absolute error over what is known of `target`, 0 where nothing is."""
    known = tf.math.is_finite(target)
    errors = tf.abs(tf.where(known, target, 0.0) - tf.where(known, answer, 0.0))
    return tf.reduce_sum(errors) / tf.maximum(tf.reduce_sum(tf.cast(known, tf.float32)), 1.0)


def driver(
    features: Mapping[str, Any],
    targets: Mapping[str, Any],
    weights: Mapping[str, float],
    filters: int,
    units: int,
    dropout: float,
    has_lidar: bool,
) -> Driver:
    """The network.

    The camera's branch is PilotNet's (Bojarski et al. 2016) with normalisation, the lidar's one of convolutions over
    its angles; what both found, and the speed, meet in dense layers. Answers begin at their means in the train split.

    Args:
      features: name -> tf.TensorSpec of one example.
      targets: of examples of the train split, name -> `[examples]` or `[examples, values]`.
      weights: by target, how much its error counts in the unit of how far the target spreads.
      filters: of the first convolution.
      has_lidar: whether any example has a sweep. Without one there is no branch for it, in which all would stay 0.
    """
    layers = tf.keras.layers
    shapes = {name: features[name] for name in ("camera", "lidar", "speed")}
    inputs = {name: tf.keras.Input(one.shape, dtype=one.dtype, name=name) for name, one in shapes.items()}
    x = layers.Rescaling(1 / 127.5, -1)(inputs["camera"])
    for kernel, factor in ((5, 1.0), (5, 1.5), (3, 2.0), (3, 3.0)):
        x = _normalised(layers.Conv2D(int(factor * filters), kernel, strides=2, padding="same", use_bias=False)(x))
    seen = _normalised(layers.Dense(units, use_bias=False)(layers.Flatten()(x)))
    found = [seen, inputs["speed"]]
    if has_lidar:
        found.append(_felt(inputs["lidar"], filters, units))
    x = layers.Dropout(dropout)(layers.Concatenate()(found))
    x = layers.Dense(units, activation="elu")(x)
    usual = {name: _usual(values.reshape(len(values), -1)) for name, values in targets.items()}
    answers = {}
    for name, (middle, spread) in usual.items():
        begin = tf.keras.initializers.Constant(middle / spread)
        answer = layers.Dense(len(middle), bias_initializer=begin, dtype="float32")(x) * spread
        answers[name] = layers.Reshape(targets[name].shape[1:], dtype="float32", name=name)(answer)
    model = Driver(inputs, answers)
    model.loss_tracker = tf.keras.metrics.Mean(name="loss")
    model.weights_of = {name: weights[name] / spread for name, (_, spread) in usual.items()}
    model.learnt = frozenset(name for name, values in targets.items() if np.isfinite(values).any())
    return model


def _usual(values: Any) -> tuple[Any, float]:
    """The mean of each column, 0 where nothing is known of it, and how far values lie from it."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    middle = np.where(known, values, 0.0).sum(axis=0) / count
    spread = float(np.abs(np.where(known, values - middle, 0.0)).sum() / max(known.sum(), 1))
    return middle, spread if spread > 1e-3 else 1.0


def _felt(lidar: Any, filters: int, units: int) -> Any:
    layers, x = tf.keras.layers, lidar
    for kernel, factor in ((5, 1.0), (3, 2.0)):
        x = _normalised(layers.Conv1D(int(factor * filters), kernel, strides=2, padding="same", use_bias=False)(x))
    return _normalised(layers.Dense(units // 2, use_bias=False)(layers.Flatten()(x)))


def _normalised(x: Any) -> Any:
    return tf.keras.layers.ReLU()(tf.keras.layers.BatchNormalization()(x))
