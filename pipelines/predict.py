"""`benison predict`: examples from files to the latest pushed model's answers, and a picture of each.

All inputs are checked as a run checks its data, and the model's files against their digests, before TensorFlow is
imported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from data import tables
from data.columns import BadValue, Column, Value
from data.errors import BenisonError, DataRefused, WrongUse
from data.files import BadFile, Inside
from trainer import manifest
from trainer.backend import load_tensorflow
from trainer.task import Task, load

BATCH = 64


@dataclass(frozen=True)
class Example:
    """One input: where it stands (`row` for those in tables) and its raw columns."""

    file: Path
    row: int | None
    values: dict[str, Value]


def predict(task_name: str, files: Sequence[Path], serving: Path, output: Path | None) -> list[dict[str, Any]]:
    """The answers for all examples in `files`, in order. The examples are held in memory.

    A task whose only input is a picture or another medium takes its files; other tasks take tables (CSV, JSONL,
    Parquet) with one column for each input, media as paths relative to the table.

    Args:
      task_name: a task's module name.
      files: what to predict from.
      serving: the folder of the pushed versions, of which the highest answers.
      output: where a picture of each answer is written, or None for no pictures.

    Returns:
      For each example `file`, for rows `row`, then what `Task.predict` returns: for classifiers `label` and
      `probabilities` by label, highest first, for others every output by name as JSON values; `picture` is its path.

    Raises:
      WrongUse: there is no such task or file.
      DataRefused: an input is not what the task's columns ask for.
      BenisonError: there is no pushed model, it was tampered with, or it was made for other columns.
    """
    task_class = load(task_name)
    columns = {name: column for name, column in task_class.columns.items() if name not in task_class.targets}
    model = _latest(serving, task_name)
    about = manifest.verify(model)
    examples = list(read_examples(files, columns))
    answers, pictures = [], _Pictures(_task(task_class, about), output, files) if output else None
    for example, prediction in _predictions(model, task_name, columns, examples):
        place = {"file": str(example.file)} | ({} if example.row is None else {"row": example.row})
        picture = {"picture": pictures.draw(example, prediction)} if pictures else {}
        answers.append(place | _as_json(prediction) | picture)
    return answers


def _latest(serving: Path, task_name: str) -> Path:
    versions = manifest.versions(serving)
    if not versions:
        raise BenisonError(f"{task_name} has no pushed model in {serving}", f"benison run {task_name}")
    return serving / str(versions[-1])


def _task(task_class: type[Task], about: Mapping[str, Any]) -> Task:
    """The task as the model was trained, as far as its hyper-parameters still exist."""
    known = {f.name for f in dataclasses.fields(task_class.HParams)}
    stored = {name: value for name, value in about.get("hparams", {}).items() if name in known}
    return task_class(task_class.HParams(**stored))


# --- inputs ---


def read_examples(files: Sequence[Path], columns: Mapping[str, Column]) -> Iterator[Example]:
    """The examples that `files` hold, checked. Raises WrongUse and DataRefused as `predict` does."""
    only = next(iter(columns)) if len(columns) == 1 else None
    for path in files:
        if not path.is_file():
            raise WrongUse(f"{path} is {'no file' if path.exists() else 'not there'}", "give files that can be read")
        if only and columns[only].is_media:
            real = path.resolve()  # who names a link means what it leads to
            yield Example(path, None, _encoded(str(path), columns, {only: real.name}, real.parent))
        else:
            yield from _rows(path, columns)


def _rows(path: Path, columns: Mapping[str, Column]) -> Iterator[Example]:
    if path.suffix.lower() not in tables.SUFFIXES:
        raise WrongUse(
            f"{path} is no table", f"give {', '.join(tables.SUFFIXES)} with the columns {', '.join(columns)}"
        )
    present = tables.column_names(path)
    lacking = [name for name in columns if name not in present]
    if lacking:
        raise DataRefused(
            f"{path} lacks the column {', '.join(lacking)}; it has {', '.join(present)}",
            f"Give it the columns {', '.join(columns)}.",
        )
    for row in tables.rows(path, columns):
        where = f"{path}, row {row.number}"
        if row.reason:
            raise DataRefused(f"{where}: {row.reason}", "Mend this row, or leave it out.")
        yield Example(path, row.number, _encoded(where, columns, row.values, path.parent))


def _encoded(where: str, columns: Mapping[str, Column], row: Mapping[str, Any], folder: Path) -> dict[str, Value]:
    """The raw columns of one row; media are files in `folder`."""
    values = {}
    for name, column in columns.items():
        value = row.get(name)
        try:
            if isinstance(value, BadValue):
                raise value
            if column.is_missing(value):
                raise BadValue("no value")
            content = Inside(folder).read(str(folder), str(value)) if column.is_media else value
            values[name] = column.encode(name, content)[name]
        except (BadValue, BadFile) as error:
            raise DataRefused(f"{where}: {name}: {error}", f"Give a {column.noun}, as in training.") from None
    return values


# --- the model ---


def _predictions(
    model: Path, task_name: str, columns: Mapping[str, Column], examples: Sequence[Example]
) -> Iterator[tuple[Example, dict[str, Any]]]:
    """Each example with its row of every output, NumPy values. Runs `raw`, BATCH examples at a time."""
    tf = load_tensorflow()
    loaded = tf.saved_model.load(str(model))  # a name of its own: signatures do not keep the variables alive
    raw = loaded.signatures["raw"]
    inputs = raw.structured_input_signature[1]
    if inputs.keys() != columns.keys():
        raise BenisonError(
            f"the pushed model {model} takes {', '.join(inputs)}; the task's inputs are {', '.join(columns)}",
            f"benison run {task_name}",
        )
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        tensors = {name: tf.constant([e.values[name] for e in batch], spec.dtype) for name, spec in inputs.items()}
        outputs = {name: tensor.numpy() for name, tensor in raw(**tensors).items()}
        for i, example in enumerate(batch):
            yield example, {name: array[i] for name, array in outputs.items()}


# --- answers ---


def _as_json(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the outputs as JSON values; `labels` and `probabilities` become one mapping, highest first."""
    values = {name: _plain(value) for name, value in prediction.items()}
    if not {"label", "labels", "probabilities"} <= values.keys():
        return values
    ranked = sorted(zip(values.pop("labels"), values.pop("probabilities"), strict=True), key=lambda pair: -pair[1])
    return {"label": values.pop("label"), "probabilities": dict(ranked), **values}


def _plain(value: Any) -> Any:
    """A NumPy value or array as numbers, texts and lists of them."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


class _Pictures:
    """Draws answers into a folder, never over an input or over another answer of the same call."""

    def __init__(self, task: Task, folder: Path, inputs: Sequence[Path]) -> None:
        self._task, self._folder = task, folder
        self._taken = {path.resolve() for path in inputs}

    def draw(self, example: Example, prediction: Mapping[str, Any]) -> str:
        from trainer.preview import render_png

        path = self._free(example)
        path.parent.mkdir(parents=True, exist_ok=True)
        render_png(self._task.preview(example.values, prediction), path)
        return str(path)

    def _free(self, example: Example) -> Path:
        stem = example.file.stem if example.row is None else f"{example.file.stem}-{example.row}"
        names = (f"{stem}.prediction{f'-{n}' if n > 1 else ''}.png" for n in count(1))
        path = next(path for name in names if (path := self._folder / name).resolve() not in self._taken)
        self._taken.add(path.resolve())
        return path
