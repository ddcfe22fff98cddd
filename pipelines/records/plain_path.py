"""Paths that TensorFlow can read a saved model in, of folders whose own path it takes for a pattern."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from data.errors import BenisonError, WrongUse
from data.sources.cache import cache_root

UNREADABLE = frozenset("[\\")
"""In a path they mean something else to the matching of names by which TensorFlow looks for a checkpoint's files.
`*`, `?`, `{}` and spaces are read as they are: each matches itself."""


def plain(path: Path) -> Path:
    """The path itself, or one without the signs in `UNREADABLE`: that of a link in the cache, the same each time.

    TFMA and Transform load models by the path that the metadata store has, in processes of their own, so that what is
    in a workspace must be named through it from the beginning. What `path` names need not be there yet.

    Raises:
      WrongUse: the cache has such a sign in its own path.
      BenisonError: the cache cannot be written.
    """
    if not UNREADABLE & set(str(path)):
        return path
    link = cache_root().resolve() / "links" / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    if UNREADABLE & set(str(link)):
        raise WrongUse(
            f"{path} and the cache {cache_root()} both have '[' or a backslash in their paths, which TensorFlow takes "
            "for patterns",
            "give one of them another place: --workspace DIR, or BENISON_CACHE",
        )
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    except FileExistsError:
        pass  # by its name it leads to the same path
    except OSError as error:
        raise BenisonError(
            f"{path} has '[' or a backslash in its path, and the link by which TensorFlow can read there cannot be "
            f"made: {error.strerror}: {link}",
            "give a folder without them: --workspace DIR, or a cache that can be written: BENISON_CACHE",
        ) from None
    return link
