"""Training one model: what every worker runs, in the pipeline's process, in a local process or on a GPU node.

    TF_CONFIG=... python -m trainer.worker SPEC.json

Knows no TFX component and no orchestrator. All workers build the same model under the strategy that the environment
asks for and train in step; the chief saves it.
"""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data.atomic import write_atomic
from data.errors import BenisonError
from trainer import curve_recorder, curves, distribution, health, inputs
from trainer.backend import load_tensorflow, tf
from trainer.task import Task
from trainer.transform import task_from

BACKUP_STEPS = 500
"""A backup is written after each validation, where they are further apart than this after so many steps."""

MIN_ROUND = 100
"""Training steps between two validations: one pass over the data, or several over a small data set."""


@dataclass(frozen=True)
class TrainingSpec:
    """What one training is told; JSON between processes. Paths are the same in every worker."""

    task: str
    hparams: dict[str, Any]
    train_files: list[str]
    transform_graph: str
    model_dir: str
    """Where the chief's SavedModel goes."""
    log_dir: str
    """TensorBoard events, `history.json` and `curves.json`."""
    training_dir: str
    """Backups, the progress file and the curves so far: the same for a restart of the same training."""
    steps: int | None = None
    """Upper bound on training steps; the task's epochs otherwise."""
    assets: dict[str, str | None] = field(default_factory=dict)
    """The file of each of the task's assets; None for one that is done without."""

    @property
    def progress_file(self) -> Path:
        return Path(self.training_dir) / "progress.json"

    @property
    def curves_file(self) -> Path:
        return Path(self.training_dir) / curves.FILE


def train(spec: dict[str, Any]) -> None:
    """Trains and saves. Resumes from `training_dir` if an earlier attempt left a backup there.

    Raises:
      BenisonError: a loss or a weight is not finite, or the split holds no examples.
    """
    _train(TrainingSpec(**spec))


def _train(spec: TrainingSpec) -> None:
    load_tensorflow()
    strategy = distribution.strategy()
    task = task_from({"task": spec.task, "hparams": spec.hparams})
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(task.hparams.seed)
    tf.keras.mixed_precision.set_global_policy("mixed_float16" if task.hparams.mixed_precision else "float32")
    examples = inputs.TransformedExamples(spec.train_files, spec.transform_graph, task)
    plan = _plan(spec, task, strategy.num_replicas_in_sync, examples)
    data_spec = examples.spec(plan.steps, spec.assets)
    with strategy.scope():
        model = task.build_model(data_spec)
        if model.optimizer is not None:  # else the first step makes its variables, and is traced a second time
            model.optimizer.build(model.trainable_variables)
    by_step = curves.Curves(spec.curves_file)
    history, found = _fit(spec, task, model, strategy, examples, plan, by_step)
    _save(spec, task, model, data_spec, examples)
    if distribution.is_chief():
        log_dir = Path(spec.log_dir)
        log_dir.mkdir(parents=True, exist_ok=True)
        (log_dir / "history.json").write_text(json.dumps(history), encoding="utf-8")
        by_step.write(log_dir / curves.FILE)
        found.write(log_dir)


@dataclass(frozen=True)
class _Plan:
    """Keras's epochs here are rounds of training, each ended by a validation."""

    rounds: int
    steps_per_round: int
    validation_steps: int

    @property
    def steps(self) -> int:
        return self.rounds * self.steps_per_round


def _plan(spec: TrainingSpec, task: Task, replicas: int, examples: inputs.TransformedExamples) -> _Plan:
    batch = task.hparams.global_batch_size
    workers = distribution.num_workers()
    if batch % replicas:
        devices = f"{workers} workers" if replicas == workers else f"{replicas} GPUs of {workers} workers"
        raise BenisonError(
            f"global_batch_size {batch} cannot be shared by {devices}",
            f"choose a multiple of {replicas} with --set global_batch_size=N",
        )
    per_pass = max(1, inputs.training_count(examples) // batch)
    steps = max(task.hparams.epochs * per_pass, task.hparams.min_steps)
    if spec.steps is not None:
        steps = min(steps, spec.steps)
    per_round = min(steps, max(per_pass, MIN_ROUND))
    validation = inputs.validation_plan(examples, workers, replicas)
    return _Plan(max(1, round(steps / per_round)), per_round, validation.steps)


def _fit(
    spec: TrainingSpec,
    task: Task,
    model: Any,
    strategy: Any,
    examples: inputs.TransformedExamples,
    plan: _Plan,
    by_step: curves.Curves,
) -> tuple[dict[str, list[float]], health.Health]:
    distribute = strategy.distribute_datasets_from_function
    progress, watch = _progress_callback(spec.progress_file, plan), health.watch(task, examples)
    callbacks = tf.keras.callbacks
    validation: dict[str, Any] = {}
    if task.monitor is not None:
        validation["validation_data"] = distribute(inputs.validation_dataset(examples))
        validation["validation_steps"] = plan.validation_steps
    model.fit(
        distribute(inputs.training_dataset(examples)),
        epochs=plan.rounds,
        steps_per_epoch=plan.steps_per_round,
        **validation,
        verbose=0,
        callbacks=[
            callbacks.TerminateOnNaN(),
            callbacks.BackupAndRestore(
                str(Path(spec.training_dir) / "backup"),
                save_freq="epoch" if plan.steps_per_round <= BACKUP_STEPS else BACKUP_STEPS,
                delete_checkpoint=False,
            ),
            *([] if task.monitor is None else [_early_stopping(task.monitor, task.hparams.patience)]),
            *(_chiefs(spec, plan, by_step) if distribution.is_chief() else []),
            progress,
            watch,  # last, to see the weights that early stopping went back to
        ],
    )
    health.refuse_non_finite(progress.history, model.variables, progress.step)
    return progress.history, watch.health


def _chiefs(spec: TrainingSpec, plan: _Plan, by_step: curves.Curves) -> list[Any]:
    """The callbacks of the one worker that writes for all."""
    tensorboard = tf.keras.callbacks.TensorBoard(spec.log_dir, write_graph=False)
    return [tensorboard, curve_recorder.recorder(by_step, plan.steps_per_round)]


def _early_stopping(monitor: str, patience: int) -> Any:
    class EarlyStopping(tf.keras.callbacks.EarlyStopping):
        """Goes back to the best weights only where it did stop training. The best of a small held-out set is often an
        early one by chance, and Keras would prefer it to a training that ended as planned."""

        def on_train_end(self, logs: Any = None) -> None:
            if self.stopped_epoch:
                super().on_train_end(logs)

    return EarlyStopping(monitor, patience=patience, mode="min", restore_best_weights=True)


def _progress_callback(path: Path, plan: _Plan) -> Any:
    """A Keras callback that keeps `path` up to date for whoever watches, and the curves across restarts."""

    class Progress(tf.keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self._supports_tf_logs = True  # no copy of the logs to the host in every step
            self.history: dict[str, list[float]] = _earlier_history(path)
            self.step = self._round = 0
            self._written = 0.0
            self._begun: float | None = None
            self._begun_step = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.step = self._round = epoch * plan.steps_per_round
            for values in self.history.values():
                del values[epoch:]

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step = self._round + batch + 1  # a training that goes on may begin within a round
            now = time.monotonic()
            if self._begun is None:  # the first step holds the tracing
                self._begun, self._begun_step = now, self.step
            if now - self._written > 0.5:
                self._written = now
                self._write(float(logs["loss"]), now)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            for name, value in (logs or {}).items():
                self.history.setdefault(name, []).append(float(value))
            self._write(self.history["loss"][-1], time.monotonic())

        def on_train_end(self, logs: Any = None) -> None:
            if self.history.get("loss") and math.isfinite(self.history["loss"][-1]):
                self._write(self.history["loss"][-1], time.monotonic(), stopped_early=self.step < plan.steps)

        def _write(self, loss: float, now: float, stopped_early: bool = False) -> None:
            if not distribution.is_chief():
                return
            elapsed = now - self._begun if self._begun is not None else 0.0
            state = {
                "step": self.step,
                "steps_total": plan.steps,
                "steps_per_second": (self.step - self._begun_step) / elapsed if elapsed else 0.0,
                "loss": loss,
                "history": self.history,
                "stopped_early": stopped_early,
            }
            write_atomic(path, json.dumps(state))

    return Progress()


def _earlier_history(path: Path) -> dict[str, list[float]]:
    return json.loads(path.read_text(encoding="utf-8"))["history"] if path.exists() else {}


def _save(spec: TrainingSpec, task: Task, model: Any, data_spec: Any, examples: inputs.TransformedExamples) -> None:
    """The chief saves. A distributed model is first copied into one of plain variables, which a signature can hold;
    all workers take part, since reading some of its variables is a collective operation."""
    from trainer import export

    if model.distribute_strategy.num_replicas_in_sync > 1:
        weights = model.get_weights()
        model = task.build_model(data_spec)
        model.set_weights(weights)
    if distribution.is_chief():
        export.save(task, model, data_spec, examples, Path(spec.model_dir))


def as_dict(spec: TrainingSpec) -> dict[str, Any]:
    return asdict(spec)


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m trainer.worker SPEC.json", file=sys.stderr)
        return 2
    try:
        train(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except BenisonError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
