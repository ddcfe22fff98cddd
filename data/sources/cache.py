"""The cache on this machine: entries that are there whole or not at all, made by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import BenisonError

Progress = Callable[[str], None]

_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def cache_root() -> Path:
    """$BENISON_CACHE, else the user's cache folder as the XDG rules place it."""
    if own := os.environ.get("BENISON_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "benison"


def build(entry: Path, make: Callable[[Path], None], progress: Progress) -> None:
    """Has `make` fill an empty folder that then becomes `entry`; does nothing where `entry` is there already.

    A process killed at any moment leaves no `entry`; what it had begun is removed by the next one. Of several
    processes one works and the others wait for it.

    Raises:
      BenisonError: the cache cannot be written.
    """
    partial = entry.with_name(f".{entry.name}.partial")
    with _explained(entry.parent):
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _lock(entry.with_name(f".{entry.name}.lock"), progress):
            if entry.is_dir():
                return
            _remove(partial)
            partial.mkdir()
            try:
                make(partial)
                # One sync of all, since an fsync for each of thousands of small files would outlast writing them.
                os.sync()
                partial.rename(entry)
                sync(entry.parent)
            finally:
                _remove(partial)


def sync(path: Path) -> None:
    """Waits until a file's content, or a folder's list of names, is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _lock(path: Path, progress: Progress) -> Iterator[None]:
    """Held until the block ends or the process dies, whichever way."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that is preparing the same data")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITE_ERRORS:
            raise
        raise BenisonError(
            f"the data cache {folder} cannot be written: {error.strerror}",
            "Make room or grant the right to write there, or set BENISON_CACHE to another folder.",
        ) from error
