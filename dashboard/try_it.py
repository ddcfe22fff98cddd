"""Asking a pushed model from the page: `benison predict` in a process of its own, held to a size and a time.

One question at a time: a model takes as much memory as a run's Evaluator. What a person gives lies in a folder that is
removed with the answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from components.report.page import MEDIA
from dashboard.store import NotThere, Store
from data.columns import FormField
from data.errors import WrongUse
from data.folders import tables
from pipelines.console.usage import inputs_of
from trainer.task import Task, load

TABLE = "table"
"""The one field of a task that predicts from a table of measurements."""


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
    """`values` as `benison predict --json` prints them; `media`: pictures and sounds as data URIs."""

    values: Mapping[str, Any]
    media: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One question of the form: `said` explains it, `asked` is how it is put."""

    said: str
    asked: FormField

    @property
    def is_file(self) -> bool:
        return self.asked.kind in ("file", "table")


def fields_of(task_class: type[Task]) -> dict[str, Field]:
    """What a form asks for: the inputs of one example, or one table where a single row is not enough."""
    fields = {
        name: Field(column.description or column.noun, column.form()) for name, column in inputs_of(task_class).items()
    }
    if any(field.asked.kind == "table" for field in fields.values()):
        said = f"{', '.join(tables.SUFFIXES)} with the columns {', '.join(fields)}"
        return {TABLE: Field(said, FormField(kind="table", suffixes=tables.SUFFIXES))}
    return fields


class Trial:
    """Asks models, one question at a time."""

    MAX_BYTES: ClassVar[int] = 10_000_000
    """Of an uploaded file."""
    MAX_TEXT: ClassVar[int] = 20_000
    """Characters of a typed value."""
    MAX_ANSWERS: ClassVar[int] = 20
    """Of a table of many rows so many answers are shown."""
    MEMORY_BYTES: ClassVar[int] = 16 * 2**30
    """Address space of the process; TensorFlow reserves far more than it uses."""
    WRITTEN_BYTES: ClassVar[int] = 64 * 2**20
    """Of any file that it writes."""

    def __init__(self, seconds: float = 120.0) -> None:
        self._seconds = seconds
        self._free = threading.Lock()

    def ask(self, store: Store, asked: Asked) -> list[Answer]:
        """Raises Refused."""
        if not self._free.acquire(blocking=False):
            raise Refused("Another question is being answered; ask again when it has been.")
        try:
            with tempfile.TemporaryDirectory(prefix="benison-try-") as folder:
                return self._ask(store, asked, Path(folder))
        finally:
            self._free.release()

    def _ask(self, store: Store, asked: Asked, folder: Path) -> list[Answer]:
        try:
            fields = fields_of(load(asked.task))
            if not store.models(asked.task):
                raise Refused(f"{asked.task} has no pushed model.")
        except (WrongUse, NotThere) as error:
            raise Refused(f"There is no such task here: {error}.") from None
        arguments = self._arguments(fields, asked, folder)
        output = folder / "answers"
        command = [sys.executable, "-m", "pipelines", "predict", "--json", "--output", str(output)]
        found = json.loads(self._run([*command, "--workspace", str(store.root), asked.task, *arguments]))
        if isinstance(found, dict):  # an error, as every command prints it
            said = ". ".join(found[part] for part in ("error", "fix") if found.get(part))
            raise Refused(said.replace(f"{folder}/", ""))
        return [_answer(one, output) for one in found[: self.MAX_ANSWERS]]

    def _arguments(self, fields: Mapping[str, Field], asked: Asked, folder: Path) -> list[str]:
        given: dict[str, str] = {}
        for name, field in fields.items():
            if field.is_file:
                if name not in asked.files:
                    raise Refused(f"Choose a file for {name} first.")
                given[name] = str(self._kept(folder / name, field.asked.suffixes, *asked.files[name]))
            else:
                value = asked.values.get(name)
                if value in (None, ""):
                    raise Refused(f"Give {name} a value first.")
                if len(str(value)) > self.MAX_TEXT:
                    raise Refused(f"{name} is longer than {self.MAX_TEXT:,} characters.")
                given[name] = str(value)
        if any(field.asked.kind == "table" for field in fields.values()):
            return ["--", given[TABLE]]
        return [argument for name, value in given.items() for argument in ("--input", f"{name}={value}")]

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

    def _run(self, command: list[str]) -> str:
        """What the command prints, whether it answers or fails. Ends it and all that it started when its time is up."""
        environment = {name: value for name, value in os.environ.items() if name != "BENISON_DASHBOARD_TOKEN"}
        environment["CUDA_VISIBLE_DEVICES"] = ""  # one answer is not worth a GPU, whose driver would break the limit
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        for limit, most in ((resource.RLIMIT_AS, self.MEMORY_BYTES), (resource.RLIMIT_FSIZE, self.WRITTEN_BYTES)):
            resource.prlimit(process.pid, limit, (most, most))
        try:
            said, complaint = process.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Refused(f"The model had not answered after {self._seconds:.0f} s and was stopped.") from None
        if not said.strip():
            lines = complaint.strip().splitlines()
            raise Refused(f"The model's process ended with {process.returncode}: {lines[-1] if lines else 'no word'}")
        return said


def _answer(found: dict[str, Any], output: Path) -> Answer:
    media, values = {}, {}
    for name, value in found.items():
        file = Path(value) if isinstance(value, str) else None
        if file and file.suffix in MEDIA and file.is_relative_to(output) and file.is_file():
            media[name] = f"data:{MEDIA[file.suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"
        elif name != "file":
            values[name] = value
    return Answer(values, media)
