"""Reading the files of a user's data folder, and never one that lies outside it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any, BinaryIO

from data.errors import BadFile

__all__ = ["MAX_FILE_BYTES", "BadFile", "Inside", "below", "is_hidden", "printable", "tree_digest", "visible"]

MAX_FILE_BYTES = 256 * 2**20

# What operating systems and network storage leave in folders, lower case.
_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information"}
_SYSTEM_FILES |= {"__macosx", "icon\r", "lost+found"}
_SYSTEM_FILES |= {"@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot"}
# O_NONBLOCK: opening a named pipe must not wait for its writer. O_NOFOLLOW: a link is resolved and judged first.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class Inside:
    """Decides whether paths lie inside one folder, links resolved, and reads those that do."""

    def __init__(self, root: Path | str) -> None:
        self._root = os.path.realpath(root)
        self._names: dict[str, dict[str, str]] = {}
        self._folders: dict[str, bool] = {}  # resolving a path costs more than reading a small picture

    def holds(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real == self._root or real.startswith(self._root.rstrip(os.sep) + os.sep)

    def read(self, folder: str, name: str) -> bytes:
        """The content of the file `name`, a path relative to `folder`, at most MAX_FILE_BYTES long.

        Raises:
          BadFile: see `open`; or it is too large.
        """
        with self.open(folder, name) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise BadFile(f"{size} bytes; the largest file taken has {MAX_FILE_BYTES}")
            try:
                return stream.read()
            except OSError as error:
                raise BadFile(f"the file cannot be read: {error.strerror}") from None

    def content(self, folder: str, name: Any, streamed: bool) -> bytes | BinaryIO:
        """What a column gets of the file that a row names: see `read`, or where it is `streamed`, `open`."""
        if not isinstance(name, str):
            raise BadFile("expected the name of a file")
        return self.open(folder, name) if streamed else self.read(folder, name)

    def open(self, folder: str, name: str) -> BinaryIO:
        """The file `name`, a path relative to `folder`, of any size, opened for reading.

        Raises:
          BadFile: it leaves `folder` or the root (an attack), does not exist or is no ordinary file.
        """
        if _leaves(name):
            raise BadFile("the path leaves its folder", attack=True)
        if not name.isprintable() and printable(name) != name:
            raise BadFile("the name is not valid UTF-8")
        path = os.path.join(folder, name)
        try:
            try:
                handle = self._open(path)
            except FileNotFoundError:
                handle = self._open(self._spelt_otherwise(folder, name))
        except FileNotFoundError:
            hint = "; write / between folders, not \\" if "\\" in name else ""
            raise BadFile(f"there is no such file{hint}") from None
        except OSError as error:
            raise BadFile(f"the file cannot be opened: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise BadFile("not an ordinary file")
        return os.fdopen(handle, "rb", buffering=0)

    def _spelt_otherwise(self, folder: str, name: str) -> str:
        """The path of a file whose name is the same text in another Unicode form: accents of their own, as macOS writes
        them, or within their letters.

        Raises:
          FileNotFoundError: there is none.
        """
        if name.isascii():
            raise FileNotFoundError
        for part in name.split("/"):
            if part not in ("", ".", ".."):
                if not self.holds(folder):
                    raise BadFile("a link leads out of the data folder", attack=True)
                part = self._forms(folder).get(unicodedata.normalize("NFC", part), part)
            folder = os.path.join(folder, part)
        return folder

    def _forms(self, folder: str) -> dict[str, str]:
        """Names in a folder by their one form."""
        if folder not in self._names:
            names = os.listdir(folder) if os.path.isdir(folder) else []
            self._names[folder] = {unicodedata.normalize("NFC", name): name for name in names}
        return self._names[folder]

    def _open(self, path: str) -> int:
        parent = os.path.dirname(path)
        if parent not in self._folders:
            self._folders[parent] = self.holds(parent)
        if self._folders[parent]:
            try:
                return os.open(path, _FLAGS)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
            if self.holds(path):
                return os.open(os.path.realpath(path), _FLAGS)
        raise BadFile("a link leads out of the data folder", attack=True)


def is_hidden(name: str) -> bool:
    """Whether `name` is what operating systems and version control leave in folders, and no data."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def below(folder: Path, prefix: str = "") -> Iterator[str]:
    """All files under `folder`, as paths relative to it."""
    for entry in visible(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from below(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name


def visible(folder: Path | str) -> list[os.DirEntry[str]]:
    """The entries of a folder that may be data, by name."""
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not is_hidden(entry.name)), key=lambda entry: entry.name)


def printable(path: str) -> str:
    """`path` as it can be shown and stored: what is no UTF-8 in it is written as an escape."""
    return path.encode("utf-8", "backslashreplace").decode()


def tree_digest(root: Path | str) -> str:
    """SHA-256 (hex) over path, size and change time of all files under `root`; contents are not read."""
    digest = hashlib.sha256()
    for path, size, mtime_ns in _walk(str(root), ""):
        digest.update(b"%d %d %d " % (len(path), size, mtime_ns) + path)
    return digest.hexdigest()


def _walk(folder: str, prefix: str) -> Iterator[tuple[bytes, int, int]]:
    for entry in visible(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        else:
            status = entry.stat(follow_symlinks=False)
            target = f"\0{os.readlink(entry.path)}" if entry.is_symlink() else ""
            yield os.fsencode(f"{prefix}{entry.name}{target}"), status.st_size, status.st_mtime_ns


def _leaves(name: str) -> bool:
    """Whether a relative path climbs out, is absolute on any system, or is no path at all."""
    if "\0" in name or name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
        return True
    depth = 0
    for part in name.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False
