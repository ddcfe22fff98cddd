"""Steady training steps a second of each task: our input pipeline, from TFRecords, against a bare `fit` on the same
batches, which lie ready in memory.

Both sides train the task's model at its default settings by tf_keras with our AutoGraph rule, on its default data. What
`Task.batch` changes at random, and decodes, is part of ours alone. Batches of one size are given to the bare side as
numpy arrays; those of several, as sequences have them, one by one. Only steps count, not the first pass over the data
nor the turn from one pass to the next.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import measure
from trainer import distribution
from trainer.task import task_names

PASSES = 4
"""Over the same batches; one to warm up."""

PASS_SECONDS = 4.0
"""What a pass shall last, at least: a step of one task takes a hundred times that of another."""

LIMIT = 2_000
"""Records of each split that are ingested: the speed of a step does not depend on how many there are."""

READY_BYTES = 512 << 20
"""What the bare side's batches may take in memory."""


def rows(options: measure.Options) -> list[measure.Row]:
    return [_row(name, options) for name in options.tasks or task_names()]


def _row(name: str, options: measure.Options) -> measure.Row:
    with tempfile.TemporaryDirectory() as scratch:
        root = measure.transformed_task(name, Path(scratch), LIMIT)
        arguments: dict[str, Any] = {
            "task_name": name,
            "pipeline_root": str(root),
            "repeats": options.repeats,
            "steps": options.steps,
        }
        median = measure.call("steps", "steps_per_second", **arguments)
    what = f"steady training of {name}, our input pipeline"
    against = "bare tf_keras `fit` on ready batches"
    return measure.Row(what, median["ours"], median["bare"], "steps/s", against, at_least=0.97)


def steps_per_second(task_name: str, pipeline_root: str, repeats: int, steps: int | None) -> dict[str, float]:
    from components.reference import split_examples
    from data.sources import assets
    from trainer import inputs
    from trainer.task import load

    task_class = load(task_name)
    task = task_class(task_class.HParams())
    examples = split_examples(
        str(measure.newest(pipeline_root, "Transform", "transformed_examples")),
        str(measure.newest(pipeline_root, "Transform", "transform_graph")),
        "train",
        task,
    )
    strategy = distribution.strategy()
    dataset = strategy.distribute_datasets_from_function(inputs.training_dataset(examples))
    files = {name: str(assets.prepare(asset)) for name, asset in task_class.assets.items()}
    spec = examples.spec(max(task.hparams.min_steps, 1_000), assets=files)
    with strategy.scope():
        models = {side: task.build_model(spec) for side in ("ours", "bare")}
    steps = steps or _steps_of_a_pass(models["ours"], dataset)
    batches = _ready(dataset, steps)

    def ours() -> float:
        return _fitted(models["ours"], len(batches), dataset)

    def bare() -> float:
        return _fitted(models["bare"], len(batches), *_given_bare(batches))

    return measure.interleaved(repeats, ours=ours, bare=bare)


def _steps_of_a_pass(model: Any, dataset: Any) -> int:
    model.fit(dataset, steps_per_epoch=2, verbose=0)  # traced
    begun = time.perf_counter()
    model.fit(dataset, steps_per_epoch=5, verbose=0)
    return max(5, round(PASS_SECONDS / (time.perf_counter() - begun) * 5))


def _ready(dataset: Any, steps: int) -> list[Any]:
    """The first batches, in numpy: as many as `steps`, fewer where they would not fit."""
    from trainer.backend import tf

    kept: list[Any] = []
    size = 0
    for batch in itertools.islice(iter(dataset), steps):
        kept.append(tf.nest.map_structure(lambda tensor: tensor.numpy(), batch))
        size += sum(array.nbytes for array in tf.nest.flatten(kept[-1]))
        if size > READY_BYTES:
            break
    return kept


def _given_bare(batches: list[Any]) -> tuple[Any, ...]:
    """The arguments of `fit`: arrays of all batches, or the batches one by one where they differ in shape."""
    import numpy as np

    from trainer.backend import tf

    if len({tuple(array.shape for array in tf.nest.flatten(batch)) for batch in batches}) > 1:
        return (itertools.cycle(batches),)
    together = tf.nest.map_structure(lambda *arrays: np.concatenate(arrays), *batches)
    return together if isinstance(together, tuple) else (together,)


def _fitted(model: Any, steps: int, *data: Any) -> float:
    from trainer.backend import tf

    class Clock(tf.keras.callbacks.Callback):
        seconds = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch:
                self.seconds += time.perf_counter() - self.begun

    clock = Clock()
    arrays = next(iter(data[0].values())) if isinstance(data[0], dict) else None
    how = {"steps_per_epoch": steps} if arrays is None else {"batch_size": len(arrays) // steps}
    model.fit(*data, epochs=PASSES, verbose=0, callbacks=[clock], **how)
    return (PASSES - 1) * steps / clock.seconds


if __name__ == "__main__":
    measure.main(rows, __doc__)
