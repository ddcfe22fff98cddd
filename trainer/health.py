"""Training health: whether a model still tells one held-out example from another.

A loss that falls says little of a model that has died: units that a large step pushed below zero stay there, and what
comes after them is a constant. This module looks at a batch of held-out examples while a model trains:

- answers that are the same for every example, though the examples' truths differ;
- what the model itself finds wrong with them, as with transcripts too long for their sounds, if it has a method
  `complaint(features, targets)`, which returns a finding and an advice, or two empty texts;
- a rectified layer (ReLU) of which no unit is active on any example, through which nothing can be learnt;
- a loss or weights that are no finite numbers.

The first three end the training early and stay beside its curves as `health.json`, which decides over the blessing; the
last fails the training.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.errors import BenisonError
from trainer import inputs
from trainer.backend import tf
from trainer.task import Task

FILE = "health.json"
"""Beside `history.json`: {"ok": bool, "finding": str, "advice": str}."""

EXAMPLES = 32
"""Held-out examples that are looked at, at most."""

ROUNDS = 2
"""Rounds of training after which the model is looked at, and further ones while it seems dead. One that dies later is
found at the end, where it is looked at once more."""

PATIENCE = 3
"""Looks in a row that find the same before training is stopped: early rounds of a healthy model may be flat."""

SAME = 1e-4
"""Answers are the same if they differ, over the examples, by less than this share of their size."""


@dataclass(frozen=True)
class Health:
    """What was found of a training. `finding` says what the model does, in words that follow "the model"."""

    ok: bool = True
    finding: str = ""
    advice: str = ""

    def write(self, folder: Path) -> None:
        """Leaves `FILE` in `folder`."""
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


def watch(task: Task, examples: inputs.TransformedExamples) -> Any:
    """A Keras callback that looks at the answers to held-out examples; `health` is what it found.

    In a training of several workers each looks at the same examples, so that all stop at the same round: reading the
    weights of normalisations is a collective operation, which all must take part in.
    """

    class Watch(tf.keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.health = Health()
            self._in_a_row = 0
            self._batch: Any = None

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch >= ROUNDS and not self._in_a_row:
                return
            self._look()
            if self._in_a_row >= PATIENCE:
                self.model.stop_training = True

        def on_train_end(self, logs: Any = None) -> None:
            self._look()  # at the weights that training went back to

        def _look(self) -> None:
            if self._batch is None:
                self._batch = held_out_batch(task, examples)
            finding, advice = self.model.complaint(*self._batch) if hasattr(self.model, "complaint") else ("", "")
            if not finding:
                finding = look(self.model, *self._batch)
                lower = task.hparams.learning_rate / 10
                advice = f"lower the learning rate, for example --set learning_rate={lower:g}"
            self._in_a_row = self._in_a_row + 1 if finding else 0
            self.health = Health(False, finding, advice) if finding else Health()

    return Watch()


def held_out_batch(task: Task, examples: inputs.TransformedExamples) -> tuple[Any, Any]:
    """Up to EXAMPLES held-out examples as the model is fed them: inputs and targets, None where there are none."""
    batch = inputs.held_out_batch(examples, EXAMPLES)
    return batch if isinstance(batch, tuple) else (batch, None)


def look(model: Any, features: Any, targets: Any) -> str:
    """What is wrong with the model, judged by its answers to a batch, or nothing: "".

    Args:
      model: a Keras model. One whose call does not give what it learns to answer has a method
        `answers(features, targets)`, which returns floats `[batch, ...]`.
      features, targets: as the model is fed in training.
    """
    with rectified_outputs(model) as outputs:
        found = model.answers(features, targets) if hasattr(model, "answers") else model(features, training=False)
    dead = [name for name, batches in outputs.items() if not any(bool(tf.reduce_any(one != 0)) for one in batches)]
    layer = f"no unit of the layer {dead[0]!r} is active on any held-out example" if dead else ""
    if _differ(targets) and _are_the_same(found):
        answer = "one class" if _tells_classes(found, targets) else "the same"
        return f"answers {answer} for everything" + (f": {layer}" if dead else "")
    return f"has a dead layer: {layer}" if dead else ""


@contextlib.contextmanager
def rectified_outputs(model: Any) -> Iterator[dict[str, list[Any]]]:
    """While it lasts, what each rectified layer gives in an eager call of the model: its name -> tensors."""
    layers = [layer for layer in model.submodules if _is_rectified(layer)]
    outputs: dict[str, list[Any]] = {}

    def record(layer: Any, call: Any, *args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if hasattr(output, "numpy"):  # not inside of a graph that is being traced
            outputs.setdefault(layer.name, []).append(output)
        return output

    for layer in layers:
        layer.__dict__["call"] = functools.partial(record, layer, layer.call)
    try:
        yield outputs
    finally:
        for layer in layers:
            del layer.__dict__["call"]


def refuse_non_finite(history: Mapping[str, Sequence[float]], weights: Sequence[Any], step: int) -> None:
    """Fails a training whose curves or weights are not finite.

    Raises:
      BenisonError: a value of `history` or an element of `weights` is infinite or not a number.
    """
    advice = "lower the learning rate, for example --set learning_rate=1e-4"
    for name, values in history.items():
        if not all(math.isfinite(value) for value in values):
            raise BenisonError(f"training diverged: {name} is not a finite number at step {step}", advice)
    floating = [weight for weight in weights if weight.dtype.is_floating]
    if not all(bool(tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(weight)))) for weight in floating):
        raise BenisonError(f"training diverged: a weight is not a finite number after step {step}", advice)


def _is_rectified(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    return isinstance(layer, tf.keras.layers.ReLU) or getattr(activation, "__name__", "") in ("relu", "relu6")


def _differ(targets: Any) -> bool:
    """Whether some examples' truths differ; without targets, that there is nothing to be the same."""
    return targets is None or any(bool(tf.reduce_any(target[1:] != target[:1])) for target in tf.nest.flatten(targets))


def _are_the_same(answers: Any) -> bool:
    floating = [tf.cast(one, tf.float32) for one in tf.nest.flatten(answers) if one.dtype.is_floating]
    return bool(floating) and all(
        bool(tf.reduce_max(tf.math.reduce_std(one, axis=0)) <= SAME * tf.reduce_max(tf.abs(one))) for one in floating
    )


def _tells_classes(answers: Any, targets: Any) -> bool:
    [answer, *others], truths = tf.nest.flatten(answers), tf.nest.flatten(targets)
    return not others and answer.shape.rank == 2 and [(t.dtype.is_integer, t.shape.rank) for t in truths] == [(True, 1)]
