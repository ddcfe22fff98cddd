"""Where runs live on disk: `workspace/<task>/` with its lock, runs, metadata, training backups and served models."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Required, TypedDict

from data.atomic import write_atomic
from data.errors import BenisonError, WrongUse
from data.shapes import WrongShape, expect
from pipelines.records.plain_path import plain

DEFAULT_WORKSPACE = Path("workspace")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Of a task's, a run's or a version's folder."""


class KeptResult(TypedDict, total=False):
    """Of `last_run.json`, what commands rely on of its `RunResult`."""

    run_id: str
    metrics: dict[str, float]
    places: dict[str, str]


class LastRun(TypedDict, total=False):
    """`last_run.json`."""

    identity: dict[str, Any]
    result: Required[KeptResult]


@dataclass(frozen=True)
class TaskSpace:
    """One task's folder in a workspace. Paths are absolute: they end up in pipelines and metadata."""

    root: Path

    @property
    def pipeline_root(self) -> Path:
        return self.root / "pipeline"

    @property
    def metadata_db(self) -> Path:
        return self.root / "metadata.db"

    @property
    def serving(self) -> Path:
        return self.root / "serving"

    @property
    def training_root(self) -> Path:
        return self.root / "training"

    @property
    def worker_logs(self) -> Path:
        return self.root / "workers"

    @property
    def predictions(self) -> Path:
        return self.root / "predictions"

    def run(self, run_id: str) -> Path:
        return self.root / "runs" / run_id

    @property
    def last_run(self) -> dict[str, Any] | None:
        """What the last finished run left with `finish`, or None. Raises BenisonError."""
        found = _read(self.root / "last_run.json", LastRun)
        return found and found | {"result": self.located(found["result"])}

    def finish(self, record: dict[str, Any]) -> None:
        kept = record | {"result": self.portable(record["result"])}
        write_atomic(self.root / "last_run.json", json.dumps(kept, indent=2))

    def portable(self, result: dict[str, Any]) -> dict[str, Any]:
        """A `RunResult` as it is kept: its places as seen from here, so that a workspace may be moved or copied."""
        places = {name: os.path.relpath(place, self.root) for name, place in result.get("places", {}).items()}
        return result | {"places": places}

    def located(self, result: dict[str, Any]) -> dict[str, Any]:
        """The `RunResult` that was kept: its places as paths. Those that lead out of here, whoever wrote them, are left
        out."""
        places = {name: self.root / place for name, place in result.get("places", {}).items()}
        within = {n: str(p) for n, p in places.items() if Path(os.path.normpath(p)).is_relative_to(self.root)}
        return result | {"places": within}

    def report_page(self, run_id: str | None = None) -> Path:
        """The report of a run, of the last finished one if none is named, as one page.

        Raises:
          WrongUse: there is no such run.
          BenisonError: it left no report.
        """
        again = f"benison run {self.root.name}{named(self.root.parent)}"
        if run_id is None:
            if not (last := self.last_run):
                raise BenisonError(f"{self.root.name} has no finished run in {self.root.parent}", again)
            run_id = last["result"].get("run_id", "")
        if not NAME.fullmatch(run_id) or not self.run(run_id).is_dir():
            shown = f"`benison dashboard{named(self.root.parent)}` shows those that there are"
            raise WrongUse(f"{self.root.name} has no run {run_id!r} in {self.root.parent}", shown)
        folder = self.run(run_id).resolve()
        page = folder / "report" / "index.html"
        if not page.is_file():
            raise BenisonError(f"run {run_id} left no report: it did not come to its end", again)
        if not page.resolve().is_relative_to(folder):
            raise BenisonError(f"{page} is a link out of its run", "take the report from where the link leads")
        return page

    @property
    def expected_seconds(self) -> dict[str, float]:
        """Node -> seconds that it took when it last ran and was not answered from the cache."""
        return _read(self.root / "node_seconds.json", dict[str, float]) or {}

    def remember_seconds(self, seconds: dict[str, float]) -> None:
        write_atomic(self.root / "node_seconds.json", json.dumps(self.expected_seconds | seconds))

    def make(self) -> None:
        """Makes the folder, where there is none."""
        Path(os.path.realpath(self.root)).mkdir(parents=True, exist_ok=True)  # of a link that leads nowhere yet, too

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while a run writes here. The kernel lets go of it when the process ends, however it ends.

        Raises:
          BenisonError: another process holds it.
        """
        self.make()
        with open(self.root / "lock", "a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise BenisonError(
                    f"{self.root} is in use by another run ({_holder(file.read())})",
                    "wait for it to end, or give another --workspace",
                ) from None
            file.truncate(0)
            holder = {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": datetime.now().isoformat(timespec="seconds"),
                "command": shlex.join(["benison", *sys.argv[1:]]),
            }
            file.write(json.dumps(holder))
            file.flush()
            yield


def named(workspace: Path) -> str:
    """The option that names a workspace in a command, after a blank; nothing for the one taken without it."""
    implied = Path(os.environ.get("BENISON_WORKSPACE") or DEFAULT_WORKSPACE)
    return "" if workspace.resolve() == implied.resolve() else f" --workspace {shlex.quote(str(workspace))}"


def task_space(workspace: Path, task: str) -> TaskSpace:
    """Of a task in a workspace, be there one yet or not; under a path that TensorFlow can read in.

    Raises: as `plain`.
    """
    return TaskSpace(plain(workspace.resolve()) / task)


def _read(path: Path, shape: Any) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        expect(found, shape)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        said = f": {error}" if isinstance(error, WrongShape) else ""
        raise BenisonError(f"{path} is damaged{said}", "remove this file; nothing else depends on it") from None
    return found


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"pid {holder['pid']} on {holder['host']} since {holder['since']}: {holder['command']}"
    except (ValueError, KeyError):
        return "it did not say which"
