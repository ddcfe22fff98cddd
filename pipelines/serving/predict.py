"""`benison predict`: examples from files to the latest pushed model's answers, and a picture of each.

All inputs are checked as a run checks its data, and the model's files against their digests, before TensorFlow is
imported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from components import manifest
from data.columns import Column
from data.errors import BenisonError
from pipelines.console.usage import inputs_of
from pipelines.serving.inputs import Example, given_example, read_examples
from trainer.backend import load_tensorflow
from trainer.task import Task, load


def predict(
    task_name: str,
    files: Sequence[Path],
    serving: Path,
    output: Path | None,
    given: Mapping[str, str] | None = None,
    as_rows: bool = False,
) -> list[dict[str, Any]]:
    """The answers for all examples in `files`, in order. The examples are held in memory.

    A task that needs a picture or another medium and nothing else takes its files; all tasks take tables (CSV, JSONL,
    Parquet) with one column for each input, media as paths relative to the table: training's own tables too. Of an
    ordered table of measurements the last window of each series is predicted from.

    Args:
      task_name: a task's module name.
      files: what to predict from.
      serving: the folder of the pushed versions, of which the highest answers.
      output: where a picture of each answer is written, and pictures and sounds that are the answer; None for none.
      given: in place of files the inputs of one example by name, media as paths.
      as_rows: for a person's table: `Task.answer_row` in place of all outputs, and each picture once.

    Returns:
      For each example `file`, for rows `row`, then what `Task.predict` returns: for classifiers `label` and
      `probabilities` by label, highest first, for others every output by name as JSON values; `picture` is its path.
      Outputs that are the same picture are the same file.

    Raises:
      WrongUse: there is no such task or file.
      DataRefused: an input is not what the task's columns ask for.
      BenisonError: there is no pushed model, it was tampered with, or it was made for other columns.
    """
    task_class = load(task_name)
    columns = inputs_of(task_class)
    model = _latest(serving, task_name)
    about = manifest.verify(model)
    examples = (
        list(read_examples(files, task_class, about.get("names", {})))
        if files
        else [given_example(given or {}, task_class, task_name)]
    )
    task = _task(task_class, about)
    answers, pictures = [], _Pictures(task, output, files) if output else None
    for example, prediction in _predictions(model, task_name, columns, examples, task_class.predict_batch_size):
        media = {name: value for name, value in prediction.items() if _media_suffix(value)}
        shown = _as_json({name: value for name, value in prediction.items() if name not in media})
        made = pictures.made(example, prediction, media) if pictures else {}
        if as_rows:
            place: dict[str, Any] = {"file": example.place} if files else {}
            answers.append(place | task.answer_row(example.values, shown) | _each_once(made))
        else:
            place = {"file": str(example.file)} | ({} if example.row is None else {"row": example.row})
            answers.append(place | shown | made)
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


# --- the model ---


def _predictions(
    model: Path, task_name: str, columns: Mapping[str, Column], examples: Sequence[Example], size: int
) -> Iterator[tuple[Example, dict[str, Any]]]:
    """Each example with its row of every output, NumPy values. Runs `raw` on `size` examples at a time."""
    tf = load_tensorflow()
    loaded = tf.saved_model.load(str(model))  # a name of its own: signatures do not keep the variables alive
    raw = loaded.signatures["raw"]
    inputs = raw.structured_input_signature[1]
    if inputs.keys() != columns.keys():
        raise BenisonError(
            f"the pushed model {model} takes {', '.join(inputs)}; the task's inputs are {', '.join(columns)}",
            f"benison run {task_name}",
        )
    for start in range(0, len(examples), size):
        batch = examples[start : start + size]
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


def _media_suffix(value: Any) -> str:
    """Of what is a picture or a sound, the end of its file's name; else nothing."""
    if isinstance(value, bytes):
        return ".png" if value.startswith(b"\x89PNG") else ".wav" if value.startswith(b"RIFF") else ""
    return ".png" if getattr(value, "dtype", None) == "uint8" and value.ndim == 3 else ""


def _content(value: Any) -> Any:
    """Equal for equal pictures, encoded or not, and for equal sounds."""
    import numpy as np

    if isinstance(value, bytes):
        if _media_suffix(value) != ".png":
            return value
        import io

        from PIL import Image

        with Image.open(io.BytesIO(value)) as picture:
            value = np.asarray(picture)
    pixels = value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
    return pixels.shape, pixels.tobytes()


def _each_once(files: Mapping[str, str]) -> dict[str, str]:
    """Of several names of one file the first."""
    names: dict[str, str] = {}
    for name, path in files.items():
        names.setdefault(path, name)
    return {name: path for path, name in names.items()}


class _Pictures:
    """Writes answers into a folder, never over an input or over another answer of the same call."""

    def __init__(self, task: Task, folder: Path, inputs: Sequence[Path]) -> None:
        self._task, self._folder = task, folder
        self._taken = {path.resolve() for path in inputs}

    def made(self, example: Example, prediction: Mapping[str, Any], media: Mapping[str, Any]) -> dict[str, str]:
        """Name -> path of the pictures and sounds in an answer, and of its preview as `picture`. What has the same
        content is written once."""
        from trainer.preview.drawing import render_png

        written: dict[Any, str] = {}
        found = {}
        for name, value in media.items():
            content = _content(value)
            if content not in written:
                written[content] = self._keep(example, name, value)
            found[name] = written[content]
        preview = self._task.preview(example.values, prediction)
        alone = preview.parts[0].medium() if len(preview.parts) == 1 else None
        if alone is not None and (content := _content(alone)) in written:
            return found | {"picture": written[content]}
        path = self._free(example, "prediction", ".png")
        render_png(preview, path)
        return found | {"picture": str(path)}

    def _keep(self, example: Example, name: str, value: Any) -> str:
        """Writes a picture or sound that the model made, and returns its path."""
        path = self._free(example, name, _media_suffix(value))
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            from PIL import Image

            Image.fromarray(value[..., 0] if value.shape[-1] == 1 else value).save(path)
        return str(path)

    def _free(self, example: Example, kind: str, suffix: str) -> Path:
        stem = example.file.stem if example.row is None else f"{example.file.stem}-{example.row}"
        names = (f"{stem}.{kind}{f'-{n}' if n > 1 else ''}{suffix}" for n in count(1))
        path = next(path for name in names if (path := self._folder / name).resolve() not in self._taken)
        self._taken.add(path.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
