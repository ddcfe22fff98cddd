"""Steady training steps a second: our input pipeline, from TFRecords, against numpy arrays given to `fit`.

Both sides train the demo's model by tf_keras with our AutoGraph rule. Only steps count, not the first pass over the
data nor the turn from one pass to the next. Our side also shifts pictures at random, which the bare one does not.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import measure
from trainer import distribution

PASSES = 4  # one to warm up


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        root = measure.trained_task(Path(scratch), options.steps or 200)
        median = measure.call("steps", "steps_per_second", pipeline_root=str(root), repeats=options.repeats)
    what = "steady training, our input pipeline"
    against = "bare tf_keras `fit` on arrays"
    return [measure.Row(what, median["ours"], median["bare"], "steps/s", against, at_least=0.95)]


def steps_per_second(pipeline_root: str, repeats: int) -> dict[str, float]:
    from components.reference import split_examples
    from trainer import inputs
    from trainer.task import load

    strategy = distribution.strategy()
    task_class = load("image_classification")
    task = task_class(task_class.HParams())
    examples = split_examples(
        str(measure.newest(pipeline_root, "Transform", "transformed_examples")),
        str(measure.newest(pipeline_root, "Transform", "transform_graph")),
        "train",
        task,
    )
    batch = task.hparams.global_batch_size
    steps = inputs.training_count(examples) // batch
    arrays = examples.arrays(steps * batch)
    with strategy.scope():
        models = {side: task.build_model(examples.spec(PASSES * steps, assets={})) for side in ("ours", "bare")}

    def ours() -> float:
        dataset = strategy.distribute_datasets_from_function(inputs.training_dataset(examples))
        return _fitted(models["ours"], steps, dataset, steps_per_epoch=steps)

    def bare() -> float:
        return _fitted(models["bare"], steps, {"image": arrays["image"]}, {"label": arrays["label"]}, batch_size=batch)

    return measure.interleaved(repeats, ours=ours, bare=bare)


def _fitted(model: Any, steps: int, *data: Any, **how: Any) -> float:
    from trainer.backend import tf

    class Clock(tf.keras.callbacks.Callback):
        seconds = 0.0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch:
                self.seconds += time.perf_counter() - self.begun

    clock = Clock()
    model.fit(*data, epochs=PASSES, verbose=0, callbacks=[clock], **how)
    return (PASSES - 1) * steps / clock.seconds


if __name__ == "__main__":
    measure.main(rows, __doc__)
