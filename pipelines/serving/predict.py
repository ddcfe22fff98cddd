"""`benison predict`: examples from files to the latest pushed model's answers, and a picture of each.

All inputs are checked as a run checks its data, and the model's files against their digests, before TensorFlow is
imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.serving.answer_files import AnswerFiles, each_once, without_media
from pipelines.serving.inputs import CheckedExamples, Example, given_example, read_examples
from pipelines.serving.served import Answer, Served
from trainer import decisions
from trainer.preview import Preview
from trainer.task import Task


def predict(
    task_name: str,
    files: Sequence[Path],
    serving: Path,
    output: Path | None,
    given: Mapping[str, str] | None = None,
    as_rows: bool = False,
    show: Callable[[str], None] | None = None,
    threshold: float | None = None,
) -> list[dict[str, Any]]:
    """The answers of the model pushed in `serving`, of which the highest version answers, to all examples in `files`.

    `task_name` is a task's module name; `as_rows` asks for `Answered.row` in place of `Answered.outputs`; the other
    arguments are those of `ask`. `show`, if given, gets the text that answers one `given` example piece by piece while
    it is being written, where the task is a `Streams`; the answer that is returned lacks it then.

    Raises:
      WrongUse: there is no such task or file, or the task takes no threshold.
      DataRefused: an input is not what the task's columns ask for.
      BenisonError: there is no pushed model, it was tampered with, or it was made for other columns.
    """
    served = Served.open(serving, task_name)
    shown = served.shown if show and not files else ""
    asked = ask(served, files, output, given, show=show if shown else None, threshold=threshold)
    answers = [answer.row if as_rows else answer.outputs for answer in asked]
    if show and shown:
        show("\n\n")
    return [{name: value for name, value in answer.items() if name != shown} for answer in answers]


@dataclass(frozen=True)
class Answered:
    """What a model of `task` answered to one example.

    `values`: what `Task.predict` returns but media, as JSON values: for classifiers `label` and `probabilities` by
    label, highest first, for others every output by name. `files`: name -> path of the media among the answers, and of
    a `picture` of it all, if one was asked for; what is the same picture is the same file. An output `X_bytes` is
    called X. `prediction` is what the model returned, media and all.
    """

    task: Task
    example: Example
    of_file: bool
    values: Mapping[str, Any]
    files: Mapping[str, str]
    prediction: Mapping[str, Any]

    @property
    def preview(self) -> Preview:
        """The answer as the report shows an example, without what is true."""
        return self.task.preview(self.example.values, self.prediction)

    @property
    def outputs(self) -> dict[str, Any]:
        """For programs: `file`, for rows `row`, then every value and file."""
        example = self.example
        place = {"file": str(example.file)} | ({} if example.row is None else {"row": example.row})
        return place | dict(self.values) | dict(self.files)

    @property
    def told(self) -> dict[str, Any]:
        """The values for a person."""
        return self.task.answer_row(self.example.values, self.values)

    @property
    def row(self) -> dict[str, Any]:
        """For a person's table: each file once."""
        place: dict[str, Any] = {"file": self.example.place} if self.of_file else {}
        return place | self.told | each_once(self.files)


def ask(
    served: Served,
    files: Sequence[Path],
    output: Path | None,
    given: Mapping[str, str] | None = None,
    *,
    with_picture: bool = True,
    show: Callable[[str], None] | None = None,
    threshold: float | None = None,
) -> Iterator[Answered]:
    """The answers to all examples in `files`, in order, one after the other; all inputs are checked before the first.

    A task that needs a picture or another medium and nothing else takes its files; all tasks take tables (CSV, JSONL,
    Parquet) with one column for each input, media as paths relative to the table: training's own tables too. Of an
    ordered table of measurements the last window of each series is predicted from.

    Args:
      served: who answers.
      files: what to predict from.
      output: where a picture of each answer is written, and pictures and sounds that are the answer; None for none.
      with_picture: False writes what is the answer alone.
      threshold: what an answer's score has to reach, of a task that `Decides`; None leaves it to the model.
      given: in place of files the inputs of one example by name, media as paths; beside files those that need not be
        given, as a temperature, for all examples.
      show: gets the text that answers the `given` example piece by piece, of a model that has something `shown`.

    Raises:
      WrongUse: there is no such file, the task takes no threshold, or it is not one from 0 to 1.
      DataRefused: an input is not what the task's columns ask for.
      BenisonError: the model was made for other columns.
    """
    task, task_class = served.task, type(served.task)
    at_threshold = decisions.chosen(task, served.name, threshold)

    def read() -> Iterator[Example]:
        if files:
            yield from read_examples(files, task_class, served.names, given)
        else:
            yield given_example(given or {}, task_class, served.name)

    written = AnswerFiles(task, output, files) if output else None
    answers = served.answers(CheckedExamples(read)) if show is None else _streamed(served, read(), show)
    for example, as_given in answers:
        answer = at_threshold(as_given)
        values, media = without_media(answer)
        shown = _as_json(values)
        made = written.made(example, answer, media, with_picture) if written else {}
        yield Answered(task, example, bool(files), shown, made, answer)


def _streamed(
    served: Served, examples: Iterable[Example], show: Callable[[str], None]
) -> Iterator[tuple[Example, Answer]]:
    for example in examples:
        yield example, served.streamed(example, show)


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
