"""Where runs live on disk: `workspace/<task>/` with its lock, runs, metadata, training backups and served models."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from data.atomic import write_atomic
from data.errors import BenisonError, WrongUse

DEFAULT_WORKSPACE = Path("workspace")


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
        """What the last finished run left with `finish`, or None."""
        return _read(self.root / "last_run.json")

    def finish(self, record: dict[str, Any]) -> None:
        write_atomic(self.root / "last_run.json", json.dumps(record, indent=2))

    @property
    def expected_seconds(self) -> dict[str, float]:
        """Node -> seconds that it took when it last ran and was not answered from the cache."""
        return _read(self.root / "node_seconds.json") or {}

    def remember_seconds(self, seconds: dict[str, float]) -> None:
        write_atomic(self.root / "node_seconds.json", json.dumps(self.expected_seconds | seconds))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while a run writes here. The kernel lets go of it when the process ends, however it ends.

        Raises:
          BenisonError: another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
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
    """
    Raises:
      WrongUse: TensorFlow could not read in a workspace of this path.
    """
    root = workspace.resolve() / task
    if found := sorted(UNREADABLE & set(str(root))):
        raise WrongUse(
            f"the workspace {workspace.resolve()} has {' and '.join(found)} in its path: TensorFlow takes it for a "
            "pattern, and finds no saved model there",
            "give a folder without it: --workspace DIR (data may lie anywhere)",
        )
    return TaskSpace(root)


UNREADABLE = frozenset("[\\")
"""In a path they mean something else to the matching of names by which TensorFlow looks for a checkpoint's files.
`*`, `?`, `{}` and spaces are read as they are: each matches itself. Named as /proc/self/fd/N, a folder of any path
can be read, but TFMA and Transform load models by the path that the metadata store has, in processes of their own."""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise BenisonError(f"{path} is damaged", "remove this file; nothing else depends on it") from None


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"pid {holder['pid']} on {holder['host']} since {holder['since']}: {holder['command']}"
    except (ValueError, KeyError):
        return "it did not say which"
