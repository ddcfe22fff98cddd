"""What the watch over a training's health costs: the training as a run does it, against itself without the looks at
held-out answers.

The looks are timed where they happen, since a hundredth of a training is less than two trainings differ by.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import measure

DEMO = "image_classification"
LIMIT = 10_000


def rows(options: measure.Options) -> list[measure.Row]:
    return [_row(name, options) for name in options.tasks or [DEMO]]


def _row(name: str, options: measure.Options) -> measure.Row:
    with tempfile.TemporaryDirectory() as scratch:
        root = measure.transformed_task(name, Path(scratch), LIMIT)
        arguments: dict[str, Any] = {"task_name": name, "pipeline_root": str(root), "steps": options.steps}

        def trained() -> tuple[float, float]:
            return tuple(measure.call("health", "training_seconds", **arguments))

        whole, looks = min((trained() for _ in range(options.repeats)), key=lambda found: found[1])
    against = "the same less what the looks took"
    return measure.Row(f"training of {name}, its health watched", whole, whole - looks, "s", against, at_most=1.01)


def training_seconds(task_name: str, pipeline_root: str, steps: int | None) -> tuple[float, float]:
    """Seconds of a training at default settings, save included, and those of them in which its health is looked at."""
    from data.sources import assets
    from trainer import health, worker
    from trainer.task import load

    task_class = load(task_name)
    examples = measure.newest(pipeline_root, "Transform", "transformed_examples") / "Split-train"
    looks = _Timed()
    with tempfile.TemporaryDirectory() as scratch, mock.patch.object(health, "watch", looks.timing(health.watch)):
        spec = worker.TrainingSpec(
            task=task_name,
            hparams={},
            train_files=[str(path) for path in sorted(examples.iterdir())],
            transform_graph=str(measure.newest(pipeline_root, "Transform", "transform_graph")),
            model_dir=str(Path(scratch, "model")),
            log_dir=str(Path(scratch, "log")),
            training_dir=str(Path(scratch, "training")),
            steps=steps,
            assets={name: str(assets.prepare(asset)) for name, asset in task_class.assets.items()},
        )
        begun = time.perf_counter()
        worker.train(worker.as_dict(spec))
        return time.perf_counter() - begun, looks.seconds


class _Timed:
    """Adds up what the callbacks of a watch take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timing(self, watch: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            callback = watch(*arguments)
            for name in ("on_epoch_end", "on_train_end"):
                setattr(callback, name, self._of(getattr(callback, name)))
            return callback

        return timed

    def _of(self, call: Callable[..., None]) -> Callable[..., None]:
        def timed(*arguments: Any, **named: Any) -> None:
            begun = time.perf_counter()
            call(*arguments, **named)
            self.seconds += time.perf_counter() - begun

        return timed


if __name__ == "__main__":
    measure.main(rows, __doc__)
