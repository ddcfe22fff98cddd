"""Quiet logs: all that libraries print goes to a run's log file, what is meant for people stays on the terminal."""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_FOLLOW_SECONDS = 0.1


def terminal(stream: TextIO) -> TextIO:
    """A stream to where `stream` writes now, which `captured` will leave alone."""
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, io.UnsupportedOperation):  # a stand-in, as tests have, is not captured in the first place
        return stream
    return os.fdopen(descriptor, "w", encoding=stream.encoding or "utf-8", errors="replace", buffering=1)


@contextmanager
def captured(log: Path, verbose: bool = False) -> Iterator[None]:
    """Within, file descriptors 1 and 2 are the log file: C++ code and child processes write there, too.

    What a crashing process says last is in the file, since no buffer stands between; Python adds the stack of a fatal
    signal. `verbose` copies all to stderr. An exception that leaves the block knows its log as `benison_log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    size = os.fstat(target).st_size
    _flush()
    saved = os.dup(1), os.dup(2)
    os.dup2(target, 1)
    os.dup2(target, 2)
    try:
        with _python_logging(target), _stack_of_fatal_signals(), _followed(log, size, saved[1], verbose):
            yield
    except BaseException as error:
        error.__dict__.setdefault("benison_log", str(log))
        raise
    finally:
        _flush()
        for number, descriptor in enumerate(saved, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(target)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


@contextmanager
def _python_logging(descriptor: int) -> Iterator[None]:
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace", buffering=1) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level, handlers = root.level, root.handlers[:]
        root.handlers[:] = [handler]
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)


@contextmanager
def _stack_of_fatal_signals() -> Iterator[None]:
    if faulthandler.is_enabled():  # its owner wants it elsewhere
        yield
        return
    faulthandler.enable(file=2)
    try:
        yield
    finally:
        faulthandler.disable()


@contextmanager
def _followed(log: Path, start: int, descriptor: int, wanted: bool) -> Iterator[None]:
    """Within, a thread copies what the log gains after byte `start` to `descriptor`."""
    if not wanted:
        yield
        return
    ended = threading.Event()

    def follow() -> None:
        with log.open("rb") as file:
            file.seek(start)
            last = False
            while not last:
                last = ended.wait(_FOLLOW_SECONDS)
                os.write(descriptor, file.read())

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        _flush()
        ended.set()
        follower.join()
