"""The folder in which fetched data is kept: where it is, who may write, and how a whole folder appears at once."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import BenisonError

_FULL_OR_CLOSED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def cache_root() -> Path:
    """$BENISON_CACHE, else $XDG_CACHE_HOME/benison, else ~/.cache/benison. It need not exist."""
    if named := os.environ.get("BENISON_CACHE"):
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).absolute() if base else Path.home() / ".cache") / "benison"


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Holds the right to write `path`, against other threads and processes; freed by the system if this one dies.

    Args:
      waiting: called once when someone else holds it.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def building(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` that takes its name when the block ends well, and is removed when it does not.

    The caller holds the lock of `path`, so what an earlier, killed attempt left behind is cleared away here.

    Raises:
      BenisonError: the disk is full or may not be written to.
    """
    partial = path.with_name(f".{path.name}.partial")
    with _explained(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            os.sync()  # one call: fsync on each of ten thousand small files takes minutes on a spinning disk
            os.rename(partial, path)
            sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def sync_folder(folder: Path) -> None:
    """Makes the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL_OR_CLOSED:
            raise
        fix = "Make room or grant the right to write there, or set BENISON_CACHE to another folder."
        raise BenisonError(f"{path.parent} cannot be written to: {error.strerror}", fix) from error
