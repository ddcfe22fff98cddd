"""The manifest of a pushed model: what it is, and a SHA-256 of each of its files, checked before it is loaded.

It shows damage and careless change. It is not a signature: who can write the whole folder can write a manifest, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

from data.errors import BenisonError

NAME = "benison.json"


def versions(serving: Path) -> list[int]:
    """The pushed versions under a serving folder, ascending."""
    return sorted(
        int(path.name)
        for path in serving.glob("[0-9]*")
        if path.name.isascii() and path.name.isdigit() and path.is_dir()
    )


def write(model: Path, about: dict[str, Any]) -> None:
    """Writes the manifest of all files below `model`, with what `about` says of it."""
    (model / NAME).write_text(json.dumps({**about, "files": _digests(model)}, indent=2), encoding="utf-8")


def describes(pushed: Path, model: Path) -> bool:
    """Whether the folder `pushed` has a manifest and it is of the same files as those below `model`."""
    try:
        return json.loads((pushed / NAME).read_text(encoding="utf-8"))["files"] == _digests(model)
    except (OSError, ValueError, KeyError):
        return False


class Signature(NamedTuple):
    """What changes when a file below a folder does: of each its name, size, times of change and inode. `newest` is the
    latest of these times in nanoseconds since 1970."""

    files: tuple[tuple[str, int, int, int, int], ...]
    newest: int


def signature(model: Path) -> Signature:
    """Of all that lies in a pushed version, without reading any content. Raises OSError."""
    rows = []
    for path in sorted(model.rglob("*")):
        for found in (path.lstat(), path.stat()) if path.is_symlink() and path.exists() else (path.lstat(),):
            rows.append(
                (str(path.relative_to(model)), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            )
    return Signature(tuple(sorted(rows)), max((max(row[2], row[3]) for row in rows), default=0))


def verify(model: Path) -> dict[str, Any]:
    """The manifest, after each file was found to be there and unchanged and no other to have come.

    Raises:
      BenisonError: a file is missing, changed or unlisted, or there is no readable manifest.
    """
    try:
        manifest = json.loads((model / NAME).read_text(encoding="utf-8"))
        listed = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenisonError(f"{model / NAME} cannot be read: {error}", _FIX) from None
    there = {str(path.relative_to(model)): path for path in _files(model)}
    for name in sorted(listed.keys() | there.keys()):
        if name not in there:
            raise BenisonError(f"{model / name} is missing from the pushed model", _FIX)
        if name not in listed:
            raise BenisonError(f"{model / name} is not part of the model that was pushed", _FIX)
        if _digest_or_none(there[name]) != listed[name]:
            raise BenisonError(f"{model / name} was changed after the model was pushed", _FIX)
    return manifest


_FIX = (
    "the model is not loaded; the `benison run` that made it, with --fresh behind it, pushes a new version; or remove "
    "this version's folder"
)


def _digest_or_none(path: Path) -> str | None:
    try:
        return _digest(path)
    except OSError:  # a broken link, or a folder or pipe behind one: no file of the model that was pushed
        return None


def _files(model: Path) -> list[Path]:
    return [path for path in model.rglob("*") if (path.is_file() or path.is_symlink()) and path != model / NAME]


def _digests(model: Path) -> dict[str, str]:
    return {str(path.relative_to(model)): _digest(path) for path in _files(model)}


def _digest(path: Path) -> str:
    """Raises OSError, also for a link to what is no file: a pipe would be waited for."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is no file")
        return hashlib.file_digest(file, "sha256").hexdigest()
