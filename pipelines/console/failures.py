"""What went wrong, for people: whose line it was, what to do next, which exit code, where the log lies."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from data.errors import BenisonError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipelines", "components", "trainer", "data")
TASKS = ROOT / "trainer" / "tasks"

RESUME = "run the same command again: finished nodes are kept, and training goes on from its last backup"
_MEND = "mend that line, then run the same command again: finished nodes are kept"
_DEFECT = "read the log, or run again with --verbose; if your data and settings are right, this is a defect of Benison"

_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")
NEARLY_FULL = 100_000_000  # bytes left
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)

# AutoGraph and Beam put the traceback of the user's code into the text of the error that they raise.
_QUOTED_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<name>\S+)')
_QUOTED_ERROR = re.compile(r"^\s*([\w.]+(?:Error|Exception)\b.*)$", re.MULTILINE)


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as an orchestrator or a shutdown does."""

    exit_code = 128 + signal.SIGTERM


class Frame(NamedTuple):
    """A line of this project's code that an error went through."""

    file: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} in {self.name}"


@dataclass(frozen=True)
class Failure:
    """An exception as it is shown. `log` is the file with its traceback, or empty."""

    message: str
    fix: str
    exit: int
    log: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Also writes the traceback to the log, if the error arose under `logs.captured`."""
        message, fix = explained(error)
        code = error.exit_code if isinstance(error, (BenisonError, Terminated)) else 1
        return cls(message, fix, code, _logged(error))

    def to_json(self) -> dict[str, Any]:
        shown = {"error": self.message, "fix": self.fix, "exit": self.exit}
        return shown | ({"log": self.log} if self.log else {})

    def __str__(self) -> str:
        lines = [f"error: {self.message}"]
        lines += [f"  -> {self.fix}"] if self.fix else []
        lines += [f"log: {self.log}"] if self.log else []
        return "\n".join(lines)


def explained(error: BaseException) -> tuple[str, str]:
    """What went wrong, and what to do about it."""
    if isinstance(error, BenisonError):
        return error.message, error.fix
    if isinstance(error, KeyboardInterrupt):
        return "terminated" if isinstance(error, Terminated) else "interrupted", RESUME
    if is_disk_full(error):
        return _full_disk(error), f"free some space there, or give another --workspace; then {RESUME}"
    said, own = _said(error), own_frame(error)
    if isinstance(error, OSError) and error.errno in _DENIED:
        return said, "grant the right to read and write there, or give another --workspace"
    if own is None:
        return said, _DEFECT
    return f"{said}\n  at {own}", _MEND if own.file.is_relative_to(TASKS) else _DEFECT


def is_disk_full(error: BaseException) -> bool:
    """Whether some part of the error's story tells of a full disk: Beam, TensorFlow and SQLite wrap it in their own."""
    return any(words in str(part) for part in _story(error) for words in _FULL)


def _full_disk(error: BaseException) -> str:
    """Names the disk, if it is still nearly full: of those that the run writes to, the one with the least space."""
    files = [str(part.filename) for part in _story(error) if isinstance(part, OSError) and part.filename]
    folders = [getattr(error, "benison_space", ""), tempfile.gettempdir(), *map(os.path.dirname, files)]
    free = {folder: shutil.disk_usage(folder).free for folder in folders if os.path.isdir(folder)}
    fullest = min(free, key=lambda folder: free[folder])
    if free[fullest] > NEARLY_FULL:
        return f"the disk is full: {_said(error)}"
    return f"the disk is full: {free[fullest] / 1e6:.1f} MB left where {fullest} is"


def _story(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and what it was raised in place of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def own_frame(error: BaseException) -> Frame | None:
    """The innermost line of a task's file that the error went through, else that of any code of this project."""
    frames = [frame for frame in _frames(error) if _is_ours(frame.file)]
    in_tasks = [frame for frame in frames if frame.file.is_relative_to(TASKS)]
    chosen = in_tasks or frames
    return chosen[-1] if chosen else None


def _frames(error: BaseException) -> Iterator[Frame]:
    """Outermost first; those of the error's cause, and those that its text quotes, come after its own."""
    for frame in traceback.extract_tb(error.__traceback__):
        yield Frame(Path(frame.filename), frame.lineno or 0, frame.name)
    if isinstance(error, SyntaxError) and error.filename:
        yield Frame(Path(error.filename), error.lineno or 0, "<module>")
    for quoted in _QUOTED_FRAME.finditer(str(error)):
        yield Frame(Path(quoted["file"]), int(quoted["line"]), quoted["name"])
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)


def _is_ours(file: Path) -> bool:
    return any(file.is_relative_to(ROOT / package) for package in PACKAGES)


def _said(error: BaseException) -> str:
    """The error's kind and the line of its text that says most."""
    text = str(error).strip()
    quoted = _QUOTED_ERROR.findall(text) if _QUOTED_FRAME.search(text) else []
    if quoted:
        return str(quoted[-1])
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


def _logged(error: BaseException) -> str:
    log: str = getattr(error, "benison_log", "")
    if not log:
        return ""
    try:
        with open(log, "a", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as denied:  # a full disk, most likely, which must not hide the error itself
        return f"{log} (without the traceback: {denied.strerror})"
    return log
