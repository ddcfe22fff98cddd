"""The pushed model, loaded once and asked as often as needed: it answers `benison predict` and the dashboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from components import manifest
from data.columns import Column
from data.errors import BenisonError
from pipelines.console.usage import inputs_of
from pipelines.records.plain_path import plain
from pipelines.serving import gallery
from pipelines.serving.inputs import Example
from trainer.backend import load_tensorflow
from trainer.streaming import BEGIN, ENDED, FINISH, GO_ON, PIECE, Streams
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
    def open(cls, serving: Path, task_name: str, version: int | None = None) -> Served:
        """This version in the folder `serving`, the highest if none is named, after its digests were checked.

        Raises:
          WrongUse: there is no such task.
          BenisonError: there is no pushed model, or it was tampered with.
        """
        task_class = load(task_name)
        versions = [number for number in manifest.versions(serving) if version in (None, number)]
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
        raw = self._signature("raw")
        waiting = iter(examples)
        while batch := list(islice(waiting, self.task.predict_batch_size)):
            outputs = {name: tensor.numpy() for name, tensor in raw(**_tensors(batch, raw)).items()}
            for i, example in enumerate(batch):
                yield example, {name: array[i] for name, array in outputs.items()}

    @property
    def shown(self) -> str:
        """The output that `streamed` shows while it is being written; empty where the task is no `Streams`, or was none
        when the model was pushed."""
        if isinstance(self.task, Streams) and {BEGIN, GO_ON, FINISH} <= self._loaded.signatures.keys():
            return self.task.streamed
        return ""

    def streamed(self, example: Example, show: Callable[[str], None]) -> Answer:
        """The answer that `answers` gives, whose text `show` gets piece by piece while it is being written.

        Raises:
          BenisonError: the model was made for other columns.
        """
        begin, go_on, finish = (self._signature(name) for name in (BEGIN, GO_ON, FINISH))
        state, ended = begin(**_tensors([example], begin)), False
        while not ended:
            found = dict(go_on(**state))
            [piece], [ended] = found.pop(PIECE).numpy(), found.pop(ENDED).numpy()
            show(piece.decode())
            state = found
        return {name: tensor.numpy()[0] for name, tensor in finish(**state).items()}

    @cached_property
    def _loaded(self) -> Any:
        return load_tensorflow().saved_model.load(str(plain(self.model.absolute())))

    def _signature(self, name: str) -> Any:
        """A signature of the loaded model that takes a plain tensor for each raw column, or what another returned."""
        signatures = self._loaded.signatures
        inputs = signatures["raw"].structured_input_signature[1]
        if inputs.keys() != self.columns.keys():
            raise BenisonError(
                f"the pushed model {self.model} takes {', '.join(inputs)}; the task's inputs are "
                f"{', '.join(self.columns)}",
                f"benison run {self.name}",
            )
        return signatures[name]


def _tensors(examples: Sequence[Example], signature: Any) -> dict[str, Any]:
    """The inputs of a signature that takes the raw columns."""
    tf, inputs = load_tensorflow(), signature.structured_input_signature[1]
    return {name: tf.constant([e.values[name] for e in examples], spec.dtype) for name, spec in inputs.items()}
