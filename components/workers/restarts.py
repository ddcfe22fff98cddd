"""When training that failed is started again, and why it failed, whoever runs its workers."""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data.errors import BenisonError, DataRefused, WrongUse

logger = logging.getLogger(__name__)

FIX_MARK = "  -> "  # as BenisonError prints it
DISK_FULL = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Failure:
    """Why a worker ended."""

    who: str
    status: int
    """Exit status, negative for a signal."""
    reason: str
    fix: str
    """Empty unless the worker explained its failure."""
    log: Path
    disrupted: bool = False
    """Its machine was taken away: no fault of the training."""
    if_killed: str = "most often memory ran out: use a smaller global_batch_size or fewer workers, then run again"

    @property
    def explained(self) -> bool:
        """Whether trying again cannot help."""
        return bool(self.fix) or DISK_FULL in self.reason or self.status in (WrongUse.exit_code, DataRefused.exit_code)

    @property
    def message(self) -> str:
        if self.disrupted:
            return f"{self.who} was taken off its machine: {self.reason}"
        killed = self.status < 0
        ended = f"was killed by {signal.Signals(-self.status).name}" if killed else f"ended with status {self.status}"
        return f"{self.who} {ended}: {self.reason}"

    def error(self, attempts: int) -> BenisonError:
        kind = {each.exit_code: each for each in (WrongUse, DataRefused)}.get(self.status, BenisonError)
        if self.disrupted:
            advice = "run again when the machines are there to stay: training resumes from its last backup"
        elif self.status == -signal.SIGKILL:
            advice = self.if_killed
        elif DISK_FULL in self.reason:
            advice = "free some space there, then run again: training resumes from its last backup"
        else:
            advice = "read the end of that log, correct the cause and run again: training resumes from its last backup"
        tried = f" (attempt {attempts}, the last)" if attempts > 1 else ""
        return kind(f"{self.message}{tried}\n  log: {self.log}", self.fix or advice)


def until_trained(attempt: Callable[[int], Failure | None], progress_file: Path, max_restarts: int) -> None:
    """Calls `attempt` with 1, 2, ... until all workers end well. Each attempt resumes from the last backup.

    Training that fails twice without a step forward, for want of disk space, or for a reason that the worker explained
    (a BenisonError), is not started again, nor after `max_restarts` restarts. A disruption is no failure of the
    training: it is a restart only where there was no step forward since the last, so that days on machines that come
    and go are not bounded, but a training that never gets anywhere is.

    Raises:
      BenisonError: training failed for good.
    """
    best, failures_in_place, restarts = reached_step(progress_file), 0, 0
    for number in itertools.count(1):
        failure = attempt(number)
        if failure is None:
            return
        reached = reached_step(progress_file)
        forward, best = reached > best, max(best, reached)
        if forward:
            failures_in_place = 0
        restarts += not (failure.disrupted and forward)
        failures_in_place += not failure.disrupted and not forward
        if failure.explained or failures_in_place == 2 or restarts > max_restarts:
            raise failure.error(number)
        logger.warning("%s; all workers start again from the last backup", failure.message)


def reached_step(progress_file: Path) -> int:
    """The last step that the chief reported; 0 before the first."""
    if not progress_file.exists():
        return 0
    return int(json.loads(progress_file.read_text(encoding="utf-8"))["step"])


def last_words(lines: list[str]) -> tuple[str, str]:
    """Why a process ended, from its output: reason and fix of an explained error, the exception of a traceback, or
    else the last lines."""
    raised: set[int] = set()
    for start, line in enumerate(lines):
        # What destructors and threads complain about while a process ends is not why it ended.
        secondary = start > 0 and lines[start - 1].startswith(("Exception ignored", "Exception in thread"))
        if line.startswith("Traceback (most recent call last)") and not secondary:
            raised.update(itertools.islice((i for i in range(start + 1, len(lines)) if lines[i][:1].strip()), 1))
    for i in reversed(range(len(lines))):
        if i > 0 and lines[i].startswith(FIX_MARK):
            return lines[i - 1], lines[i].removeprefix(FIX_MARK)
        if i in raised:
            return lines[i], ""
    last = [line.strip()[:200] for line in lines if line.strip()][-3:]
    return f"its last output was: {' | '.join(last)}" if last else "it wrote nothing", ""
