"""The pushed model, loaded once and asked as often as needed: it answers `benison predict` and the dashboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from components import manifest
from data.columns import Column
from data.errors import BenisonError
from pipelines.console.usage import inputs_of
from pipelines.serving import gallery
from pipelines.serving.inputs import Example
from trainer.backend import load_tensorflow
from trainer.task import Task, load

Answer = dict[str, Any]
"""One row of every output of `Task.predict`, by name, as NumPy values."""


class Served:
    """The latest pushed version of a task's model.

    Its files are checked against their digests when it is opened; TensorFlow is imported, and the model loaded, when
    the first answer is asked for, and never again.

    Attributes:
      name: the module name of the task.
      task: as the model was trained, as far as its hyper-parameters still exist.
      columns: the inputs of one example, by name.
      model: the folder of the version.
      names: of a table of measurements that the model was trained on: column of the task -> columns of the table.
    """

    def __init__(self, task_name: str, task: Task, model: Path, names: Mapping[str, Any]) -> None:
        self.model = model
        self.task = task
        self.columns: Mapping[str, Column] = inputs_of(type(task))
        self.names = names
        self.name = task_name

    @classmethod
    def open(cls, serving: Path, task_name: str) -> Served:
        """The highest version in the folder `serving`, after its digests were checked.

        Raises:
          WrongUse: there is no such task.
          BenisonError: there is no pushed model, or it was tampered with.
        """
        task_class = load(task_name)
        versions = manifest.versions(serving)
        if not versions:
            raise BenisonError(f"{task_name} has no pushed model in {serving}", f"benison run {task_name}")
        model = serving / str(versions[-1])
        about = manifest.verify(model)
        known = {field.name for field in dataclasses.fields(task_class.HParams)}
        stored = {name: value for name, value in about.get("hparams", {}).items() if name in known}
        return cls(task_name, task_class(task_class.HParams(**stored)), model, about.get("names", {}))

    def answers(self, examples: Iterable[Example]) -> Iterator[tuple[Example, Answer]]:
        """Each example with its answer, in order. Of the examples one batch of `Task.predict_batch_size` is held.

        Who is enrolled when the first is asked for is known, beside those of training.

        Raises:
          BenisonError: the model was made for other columns, or those who are enrolled for another version.
        """
        enrolled = gallery.read(gallery.folder_beside(self.model.parent)) if self.task.enrols else gallery.Gallery()
        enrolled.check(self.model)
        for example, answer in self.trained_answers(examples):
            known = self.task.recognise(answer, enrolled.names, enrolled.embeddings) if enrolled.names else answer
            yield example, dict(known)

    def trained_answers(self, examples: Iterable[Example]) -> Iterator[tuple[Example, Answer]]:
        """As `answers`, of the model alone."""
        tf, (raw, inputs) = load_tensorflow(), self._signature
        waiting = iter(examples)
        while batch := list(islice(waiting, self.task.predict_batch_size)):
            tensors = {name: tf.constant([e.values[name] for e in batch], spec.dtype) for name, spec in inputs.items()}
            outputs = {name: tensor.numpy() for name, tensor in raw(**tensors).items()}
            for i, example in enumerate(batch):
                yield example, {name: array[i] for name, array in outputs.items()}

    @cached_property
    def _signature(self) -> tuple[Callable[..., Mapping[str, Any]], Mapping[str, Any]]:
        """The signature `raw`, and the tf.TensorSpec of each of its inputs."""
        loaded = load_tensorflow().saved_model.load(str(self.model))
        raw = loaded.signatures["raw"]
        inputs = raw.structured_input_signature[1]
        if inputs.keys() != self.columns.keys():
            raise BenisonError(
                f"the pushed model {self.model} takes {', '.join(inputs)}; the task's inputs are "
                f"{', '.join(self.columns)}",
                f"benison run {self.name}",
            )
        self._loaded = loaded  # signatures do not keep the variables alive
        return raw, inputs
