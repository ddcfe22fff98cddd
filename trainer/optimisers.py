"""The one optimiser of all tasks: Adam (Kingma & Ba 2015), on a cosine schedule (Loshchilov & Hutter 2017)."""

from __future__ import annotations

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
    return tf.keras.optimizers.Adam(learning_rate, beta_1=momentum, global_clipnorm=clip)


def loss_scaled(optimiser: Any) -> Any:
    """What a model whose `train_step` calls the optimiser by itself needs where the policy is of half precision; Keras
    does the same with the one that `compile` gets."""
    if tf.keras.mixed_precision.global_policy().name == "mixed_float16":
        return tf.keras.mixed_precision.LossScaleOptimizer(optimiser)
    return optimiser
