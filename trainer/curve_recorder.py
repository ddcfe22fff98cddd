"""Records the curves of a training by step while it goes on, without making a step wait."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Mapping
from typing import Any

from trainer import optimisers
from trainer.backend import tf
from trainer.curves import Curves

SECONDS_BETWEEN_POINTS = 0.2
"""At least, but for the last one of a round: a point costs about a quarter of a millisecond."""
SECONDS_BETWEEN_WRITES = 3.0
"""At least: the file may hold some hundred kilobytes."""
HELD_OUT = "val_"
"""What Keras writes before the name of a value on held-out examples."""


def recorder(curves: Curves, steps_per_round: int) -> Any:
    """A Keras callback that fills `curves` and writes them now and then. It asks nothing of other workers: metrics are
    those of this worker's share of each batch, and all else is the same in all of them."""

    class Record(tf.keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self._supports_tf_logs = True  # no copy of the logs to the host in every step
            self._begun: float | None = None
            self._round = self._last_step = 0
            self._last = self._written = 0.0
            self._waiting: list[tuple[int, float, dict[str, Any]]] = []  # on the device: no step waits for them
            self._sums: dict[str, tuple[float, float]] = {}

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._round, self._sums = epoch * steps_per_round, {}

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if self._begun is None:  # a training that goes on may begin within a round
                self._last_step = self._round + batch
                curves.go_back_to(self._last_step)
                self._begun = time.monotonic() - curves.seconds

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            step, now = self._round + batch + 1, time.monotonic()
            is_due = step - self._last_step >= curves.between and now - self._last >= SECONDS_BETWEEN_POINTS
            if is_due or batch + 1 == steps_per_round:
                self._last, self._last_step = now, step
                self._waiting.append((step, self._seconds(now), self._measured(logs)))
            if now - self._written >= SECONDS_BETWEEN_WRITES:
                self._written = now
                self._take_in()
                curves.write()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self._take_in()
            held_out = {name: float(value) for name, value in (logs or {}).items() if name.startswith(HELD_OUT)}
            if held_out:
                named = {name.removeprefix(HELD_OUT): value for name, value in held_out.items()}
                curves.add_held_out(self._round + steps_per_round, self._seconds(time.monotonic()), named)

        def on_train_end(self, logs: Any = None) -> None:
            self._take_in()
            curves.write()

        def _seconds(self, now: float) -> float:
            return 0.0 if self._begun is None else now - self._begun

        def _measured(self, logs: Mapping[str, Any]) -> dict[str, Any]:
            """Scalars on the device, of a mean the totals and the counts of this worker's replicas."""
            found = {name: self._parts(name) if name in self._means else logs[name] for name in logs}
            for attribute, optimiser in self._optimisers.items():
                network = attribute.removesuffix("optimizer")  # those that train against each other have one each
                found[f"{network}learning_rate"] = _of_this_worker(optimiser.learning_rate)[0]
                found[f"{network}gradient_norm"] = _of_this_worker(optimiser.gradient_norm)[0]
            return found

        def _parts(self, name: str) -> tuple[list[Any], list[Any]]:
            mean = self._means[name]
            return _of_this_worker(mean.total), _of_this_worker(mean.count)

        @functools.cached_property
        def _optimisers(self) -> Mapping[str, Any]:
            return optimisers.optimizers_of(self.model)

        @functools.cached_property
        def _means(self) -> Mapping[str, Any]:
            """The metrics that are a mean and no more; the first step has made them."""
            kind = tf.keras.metrics.Mean
            known = [one for one in self.model.metrics if isinstance(one, kind) and type(one).result is kind.result]
            return {metric.name: metric for metric in known}

        def _take_in(self) -> None:
            for step, seconds, found in self._waiting:
                curves.add(step, seconds, {name: self._value(name, value) for name, value in found.items()})
            self._waiting.clear()

        def _value(self, name: str, measured: Any) -> float:
            if not isinstance(measured, tuple):
                return float(measured)
            total, count = (sum(map(float, parts)) for parts in measured)
            total_before, count_before = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = total, count
            return (total - total_before) / (count - count_before) if count > count_before else math.nan

    return Record()


def _of_this_worker(variable: Any) -> list[Any]:
    """The values that this worker's replicas have of a variable, read without a word to other workers."""
    return [one.read_value() for one in getattr(variable, "values", [variable])]
