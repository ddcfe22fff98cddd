"""The first `fit` of the demo's model in a fresh process: with our AutoGraph rule, and as tf_keras comes."""

from __future__ import annotations

import time
from typing import Any

from benchmarks import measure

STEPS = 10


def rows(options: measure.Options) -> list[measure.Row]:
    steps = options.steps or STEPS

    def side(stock: bool) -> float:
        return measure.call("first_fit", "fit_seconds", stock=stock, steps=steps)

    median = measure.interleaved(options.repeats, ours=lambda: side(False), stock=lambda: side(True))
    what = f"first `fit` of the demo model, {steps} steps"
    return [measure.Row(what, median["ours"], median["stock"], "s", "stock tf_keras", at_most=0.1)]


def fit_seconds(stock: bool, steps: int) -> float:
    """Seconds of one `fit` on pictures in memory, to its return."""
    import numpy as np

    from trainer.backend import load_tensorflow

    tf = load_tensorflow()
    if stock:
        _forget_the_rule()
    model, batch = demo_model(steps)
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (steps * batch, 28, 28, 1), np.uint8)
    labels = random.integers(0, 10, steps * batch)
    tf.constant(0) + 1  # starts the runtime
    begun = time.perf_counter()
    model.fit({"image": pictures}, labels, batch_size=batch, verbose=0)
    return time.perf_counter() - begun


def demo_model(steps: int) -> tuple[Any, int]:
    """The demo task's model as its Trainer builds it for MNIST, and its batch size."""
    from trainer.backend import tf
    from trainer.task import DataSpec, load

    task_class = load("image_classification")
    task = task_class(task_class.HParams())
    features = {"image": tf.TensorSpec((28, 28, 1), tf.uint8), "label": tf.TensorSpec((), tf.int64)}
    spec = DataSpec(features, {"label": [str(digit) for digit in range(10)]}, 8000, steps, train=dict)
    return task.build_model(spec), task.hparams.global_batch_size


def _forget_the_rule() -> None:
    from tensorflow.python.autograph.core import config

    config.CONVERSION_RULES = tuple(r for r in config.CONVERSION_RULES if getattr(r, "_prefix", "") != "tf_keras")


if __name__ == "__main__":
    measure.main(rows, __doc__)
