"""Asking a pushed model from the page: it answers as `benison predict` does, in a process of its own.

One model and one question at a time: a model takes as much memory as a run's Evaluator. What a person gives lies in a
folder that is removed with the answer; the process is kept for the next question.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from components import manifest
from dashboard.kept_model import Died, KeptModel
from dashboard.store import Damaged, Model, NotThere, Run, Store
from data.columns import FormField
from data.errors import DataRefused, WrongUse
from data.folders import tables
from data.media.kinds import BY_SUFFIX, data_uri
from pipelines.console.usage import inputs_of, needed
from pipelines.serving.answer_files import each_once
from pipelines.serving.conversation import chosen_inputs
from trainer.conversation import KEPT
from trainer.decisions import Decides
from trainer.task import Task, load

TABLE = "table"
"""The one field of a task that predicts from a table of measurements."""
THRESHOLD = "threshold"
"""What may be chosen for the answers of a task that `Decides`."""


class Refused(Exception):
    """The model was not asked, or did not answer. The text says why, for the person who asked."""


@dataclass(frozen=True)
class Asked:
    """`values`: input -> what was typed; `files`: input -> name and data URI of what was uploaded or recorded."""

    task: str
    values: Mapping[str, Any]
    files: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """`values` as `benison predict --json` prints them, `told` as its table does; `media`: pictures and sounds as data
    URIs, each once; `preview` as a report shows an example, whose files are `shown`, also as data URIs."""

    values: Mapping[str, Any]
    told: Mapping[str, Any]
    media: Mapping[str, str]
    preview: Mapping[str, Any]
    shown: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One question of the form: `said` explains it, `asked` is how it is put; one that is not `needed` may be left
    open."""

    said: str
    asked: FormField
    needed: bool = True

    @property
    def is_file(self) -> bool:
        return self.asked.kind in ("file", "table")


def chosen_fields(task_class: type[Task]) -> dict[str, Field]:
    """What may be chosen for all lines of a conversation."""
    fields = fields_of(task_class)
    return {name: fields[name] for name in chosen_inputs(task_class)}


def fields_of(task_class: type[Task]) -> dict[str, Field]:
    """What a form asks for: the inputs of one example, or one table where a single row is not enough, and what may be
    chosen for all of its rows."""
    columns = inputs_of(task_class)
    must = needed(columns)
    fields = {
        name: Field(column.description or column.noun, column.form(), name in must) for name, column in columns.items()
    }
    if any(field.asked.kind == "table" for field in fields.values()):
        chosen = {name: field for name, field in fields.items() if name not in must and not columns[name].in_folder}
        said = (
            f"{', '.join(tables.SUFFIXES)} with the columns {', '.join(name for name in fields if name not in chosen)}"
        )
        return {TABLE: Field(said, FormField(kind="table", suffixes=tables.SUFFIXES))} | chosen
    return fields


def threshold_field(task_class: type[Task]) -> dict[str, Field]:
    """Where a threshold may be chosen, for a task that takes one; left open, the model's own way holds."""
    if not issubclass(task_class, Decides):
        return {}
    said = f"from 0 to 1; {task_class.counted} that score less are {task_class.below}"
    return {THRESHOLD: Field(said, FormField(kind="number", minimum=0, maximum=1), needed=False)}


class Trial:
    """Asks models, one question at a time.

    The process of the model that was asked last is kept until another one is asked, its files change, a version is
    pushed, or nobody has asked it for `idle_seconds`.
    """

    MAX_BYTES: ClassVar[int] = 10_000_000
    """Of an uploaded file."""
    MAX_TEXT: ClassVar[int] = 20_000
    """Characters of a typed value."""
    MAX_ANSWERS: ClassVar[int] = 20
    """Of a table of many rows so many answers are shown."""
    IDLE_SECONDS: ClassVar[float] = 300.0

    def __init__(self, seconds: float = 120.0, idle_seconds: float = IDLE_SECONDS) -> None:
        self._seconds, self._idle_seconds = seconds, idle_seconds
        self._free = threading.Lock()
        self._loaded: tuple[Any, KeptModel] | None = None
        self._asked = 0.0
        self._timer = threading.Timer(0, self._end)

    def ask(self, store: Store, asked: Asked) -> list[Answer]:
        """Raises Refused."""
        with self._alone() as folder:
            return self._ask(store, asked, folder)

    def converse(self, store: Store, asked: Asked, line: str, turns: Sequence[Any]) -> dict[str, Any]:
        """The turn that answers a line, as `trainer.conversation.Turn.to_json` makes it, of a conversation that the
        page holds. `asked` holds what is chosen for all lines. Raises Refused."""
        if len(line) > self.MAX_TEXT:
            raise Refused(f"This is longer than {self.MAX_TEXT:,} characters.")
        with self._alone() as folder:
            task_class, model = self._known(store, asked.task)
            given = self._inputs(chosen_fields(task_class), asked, folder)["given"]
            question = {"line": line, "turns": list(turns)[-KEPT:], "given": given}
            [turn] = self._answered(model, question, folder)
        return turn

    def show(self, store: Store, run: Run, place: int, example: str) -> Answer:
        """The preview of an example that a run was evaluated on, by the model that this run pushed.

        Args:
          place, example: as the table of answers has them.

        Raises:
          Refused: that model or the example is not there any more, or did not answer.
        """
        model = next((model for model in store.models(run.task) if str(model.version) == run.pushed), None)
        if model is None:
            said = f"version {run.pushed}, which is not there any more" if run.pushed else "no model"
            raise Refused(f"This run pushed {said}: nobody can be asked.")
        if store.is_busy(run.task):  # a reader of the metadata store can be in a writer's way
            raise Refused("A run of this task goes on: its examples are read back when it has ended.")
        try:
            split = store.eval_split(run)
        except (NotThere, Damaged) as error:
            raise Refused(f"The examples that this run was evaluated on are not there: {error}.") from None
        with self._alone() as folder:
            output = folder / "answers"
            question = {"split": str(split), "place": place, "example": example, "output": str(output)}
            [answer] = self._answered(model, question, folder)
            return _answer(answer, output, 0)

    def close(self) -> None:
        """Ends the process, also one that is about to answer."""
        self._timer.cancel()
        if self._loaded:
            self._loaded[1].kill()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[Path]:
        """A folder for one question, while no other is asked."""
        if not self._free.acquire(timeout=1):  # as long as ending a process may take
            raise Refused("Another question is being answered; ask again when it has been.")
        try:
            with tempfile.TemporaryDirectory(prefix="benison-try-") as folder:
                yield Path(folder)
        finally:
            self._free.release()

    def _known(self, store: Store, task: str) -> tuple[type[Task], Model]:
        """The task and the model that is served."""
        try:
            task_class, models = load(task), store.models(task)
        except (WrongUse, NotThere) as error:
            raise Refused(f"There is no such task here: {error}.") from None
        if not models:
            raise Refused(f"{task} has no pushed model.")
        return task_class, models[0]

    def _ask(self, store: Store, asked: Asked, folder: Path) -> list[Answer]:
        task_class, model = self._known(store, asked.task)
        output = folder / "answers"
        inputs = self._inputs(fields_of(task_class), asked, folder)
        chosen = self._inputs(threshold_field(task_class), asked, folder)["given"].get(THRESHOLD)
        question = {**inputs, "threshold": _threshold(chosen), "output": str(output), "most": self.MAX_ANSWERS}
        answers = self._answered(model, question, folder)
        return [_answer(one, output, place) for place, one in enumerate(answers)]

    def _answered(self, model: Model, question: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
        try:
            found = self._process(model).ask(question, self._seconds)
        except Died as died:
            raise Refused(str(died)) from None
        finally:
            self._wait_for_the_next()
        if isinstance(found, dict):  # an error, as every command prints it
            if found["exit"] not in (WrongUse.exit_code, DataRefused.exit_code):
                self._end()  # it was not what was asked, and nobody knows what state the process is in
            said = ". ".join(found[part] for part in ("error", "fix") if found.get(part))
            raise Refused(said.replace(f"{folder}/", ""))
        answers: list[dict[str, Any]] = found
        return answers

    def _process(self, model: Model) -> KeptModel:
        """The process that has this version loaded as it lies there now, else a fresh one, which checks it first."""
        try:
            version = model.path, manifest.signature(model.path)
        except OSError as error:
            raise Refused(f"Version {model.version} cannot be read: {error.strerror}.") from None
        if self._loaded and self._loaded[0] == version and self._loaded[1].lives:
            return self._loaded[1]
        self._end()
        self._loaded = version, KeptModel(model.path.parent, model.task, model.version)
        return self._loaded[1]

    def _end(self) -> None:
        if self._loaded:
            self._loaded[1].end()
            self._loaded = None

    def _wait_for_the_next(self) -> None:
        self._asked = time.monotonic()
        self._timer.cancel()
        self._timer = threading.Timer(self._idle_seconds, self._end_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _end_if_idle(self) -> None:
        with self._free:
            if time.monotonic() - self._asked >= self._idle_seconds:
                self._end()

    def _inputs(self, fields: Mapping[str, Field], asked: Asked, folder: Path) -> dict[str, Any]:
        """`files` or `given` of a question."""
        given: dict[str, str] = {}
        for name, field in fields.items():
            if field.is_file:
                if name not in asked.files:
                    if not field.needed:
                        continue
                    raise Refused(f"Choose a file for {name} first.")
                given[name] = str(self._kept(folder / name, field.asked.suffixes, *asked.files[name]))
            else:
                value = asked.values.get(name)
                if value in (None, ""):
                    if not field.needed:
                        continue
                    raise Refused(f"Give {name} a value first.")
                if len(str(value)) > self.MAX_TEXT:
                    raise Refused(f"{name} is longer than {self.MAX_TEXT:,} characters.")
                given[name] = str(value)
        files = [given.pop(name) for name, field in fields.items() if field.asked.kind == "table"]
        return {"files": files, "given": given}

    def _kept(self, stem: Path, suffixes: Sequence[str], filename: str, uri: str) -> Path:
        """Writes an uploaded file, under a name of ours but with its own ending, which says what it is."""
        suffix = Path(filename).suffix.lower()
        if suffix not in suffixes:
            raise Refused(f"{filename or 'The file'} is of a kind that is not read: give {', '.join(suffixes)}.")
        try:
            content = base64.b64decode(uri.partition(",")[2], validate=True)
        except (binascii.Error, ValueError):
            raise Refused(f"{filename} did not arrive whole; choose it again.") from None
        if not content or len(content) > self.MAX_BYTES:
            raise Refused(f"{filename} has {len(content):,} bytes; a file may have 1 to {self.MAX_BYTES:,}.")
        path = stem.with_suffix(suffix)
        path.write_bytes(content)
        return path


def _threshold(written: str | None) -> float | None:
    try:
        return None if written is None else float(written)
    except ValueError:
        raise Refused(f"The threshold {written} is no number: give one from 0 to 1.") from None


def _answer(found: Mapping[str, Any], output: Path, place: int) -> Answer:
    files = {name: Path(path) for name, path in each_once(found["files"]).items()}
    media = {
        name: data_uri(file.suffix, file.read_bytes())
        for name, file in files.items()
        if file.suffix in BY_SUFFIX and file.parent == output and file.is_file()
    }
    shown = {
        file.relative_to(output).as_posix(): data_uri(file.suffix, file.read_bytes())
        for file in (output / "previews").glob(f"{place:03d}-*")
        if file.suffix in BY_SUFFIX and file.is_file() and not file.is_symlink()
    }
    return Answer(found["values"], found["told"], media, found["preview"], shown)
