"""The one optimiser of all tasks: Adam (Kingma & Ba 2015), on a cosine schedule (Loshchilov & Hutter 2017)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from trainer.backend import tf
from trainer.task import HParams

FINAL_SHARE = 0.01
"""Of the learning rate, at the last step."""

WARMUP_SHARE = 0.1
"""Of all steps, at most, so that a short training is not all warm-up."""


def schedule(learning_rate: float, steps: int, *, warmup: int = 0) -> Any:
    """The learning rate by step: up from 0 over `warmup` steps, then down along a cosine to `FINAL_SHARE` of it.

    Args:
      learning_rate: the highest.
      steps: training steps at most, warm-up included: `DataSpec.steps`.
      warmup: steps, cut to `WARMUP_SHARE` of all; 0 begins at the highest.
    """
    cosine = tf.keras.optimizers.schedules.CosineDecay
    if not warmup:
        return cosine(learning_rate, max(steps, 1), alpha=FINAL_SHARE)
    warmup = max(1, min(warmup, int(steps * WARMUP_SHARE)))
    decay = max(steps - warmup, 1)
    return cosine(0.0, decay, alpha=FINAL_SHARE, warmup_target=learning_rate, warmup_steps=warmup)


def optimizer(hparams: HParams, steps: int, *, warmup: int = 0, clip: float | None = None) -> Any:
    """Adam on that schedule, gradients cut to a global norm of `clip` if it is given."""
    return adam(schedule(hparams.learning_rate, steps, warmup=warmup), clip=clip)


def adam(learning_rate: Any, *, momentum: float = 0.9, clip: float | None = None) -> Any:
    """Adam at a learning rate or on a schedule: for what is trained beside a task's hyper-parameters, as a judge is, or
    with another momentum, as networks against each other are. `clip`: as in `optimizer`."""
    return _measured_adam()(learning_rate, beta_1=momentum, global_clipnorm=clip)


@functools.cache
def _measured_adam() -> Any:
    class Adam(tf.keras.optimizers.Adam):
        """Keeps in `gradient_norm`, a float32 scalar, the global norm of the last step's gradients: summed over the
        replicas, before they are cut. Where Keras cuts them, both norms are one operation of the graph."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            # Each replica has its own, all of one value, so that it is written and read without a word to the others.
            self.gradient_norm = tf.Variable(
                0.0,
                trainable=False,
                name="gradient_norm",
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )

        def aggregate_gradients(self, grads_and_vars: Sequence[tuple[Any, Any]]) -> Any:
            summed = list(super().aggregate_gradients(grads_and_vars))
            self.gradient_norm.assign(tf.linalg.global_norm([gradient for gradient, _ in summed]))
            return summed

    return Adam


def optimizers_of(model: Any) -> dict[str, Any]:
    """Those of ours that a model trains with, by the name of its attribute, without what scales their loss.

    Of other attributes nothing is asked but their type: asking a variable of several workers for anything else has all
    of them add it up.
    """
    known = {name: value for name, value in vars(model).items() if isinstance(value, tf.keras.optimizers.Optimizer)}
    found = {name: getattr(optimiser, "inner_optimizer", optimiser) for name, optimiser in known.items()}
    return {name: optimiser for name, optimiser in found.items() if isinstance(optimiser, _measured_adam())}


def loss_scaled(optimiser: Any) -> Any:
    """What a model whose `train_step` calls the optimiser by itself needs where the policy is of half precision; Keras
    does the same with the one that `compile` gets."""
    if tf.keras.mixed_precision.global_policy().name == "mixed_float16":
        return tf.keras.mixed_precision.LossScaleOptimizer(optimiser)
    return optimiser
