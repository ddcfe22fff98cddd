"""What a functional model's output is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.backend import tf


def model_of(inputs: Mapping[str, Any], output: Any, target: str) -> Any:
    """A tf.keras.Model of one output, whose loss Keras finds by the name of the `target` that it is compared with.

    Args:
      inputs: feature name -> tf.keras.Input.
      output: a Keras tensor, what the model returns; of float32 whatever the policy.
      target: one of `Task.targets`.
    """
    named = tf.keras.layers.Activation("linear", dtype="float32", name=target)
    return tf.keras.Model(dict(inputs), named(output))
