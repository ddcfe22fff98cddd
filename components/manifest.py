"""The manifest of a pushed model: what it is, and a SHA-256 of each of its files, checked before it is loaded.

It shows damage and careless change. It is not a signature: who can write the whole folder can write a manifest, too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from data.errors import BenisonError

NAME = "benison.json"


def versions(serving: Path) -> list[int]:
    """The pushed versions under a serving folder, ascending."""
    return sorted(int(path.name) for path in serving.glob("[0-9]*") if path.is_dir() and path.name.isdigit())


def write(model: Path, about: dict[str, Any]) -> None:
    """Writes the manifest of all files below `model`, with what `about` says of it."""
    (model / NAME).write_text(json.dumps({**about, "files": _digests(model)}, indent=2), encoding="utf-8")


def describes(pushed: Path, model: Path) -> bool:
    """Whether the folder `pushed` has a manifest and it is of the same files as those below `model`."""
    try:
        return json.loads((pushed / NAME).read_text(encoding="utf-8"))["files"] == _digests(model)
    except (OSError, ValueError, KeyError):
        return False


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
        if _digest(there[name]) != listed[name]:
            raise BenisonError(f"{model / name} was changed after the model was pushed", _FIX)
    return manifest


_FIX = (
    "the model is not loaded; the `benison run` that made it, with --fresh behind it, pushes a new version; or remove "
    "this version's folder"
)


def _files(model: Path) -> list[Path]:
    return [path for path in model.rglob("*") if (path.is_file() or path.is_symlink()) and path != model / NAME]


def _digests(model: Path) -> dict[str, str]:
    return {str(path.relative_to(model)): _digest(path) for path in _files(model)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
