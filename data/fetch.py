"""Packages out of the public registries, each through its registry's own client, each checked against its SHA-256.

A verified archive stays in the cache, so a preparation that failed or has changed does not fetch it again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data import cache
from data.errors import BenisonError

Client = Literal["npm", "pypi", "debian", "installed"]

_LEAST_SECONDS = 120
_LEAST_BYTES_PER_SECOND = 100_000
_QUOTED_CHARACTERS = 300
_PIP_OPTIONS = ("--no-deps", "--require-hashes", "--ignore-requires-python", "--no-input", "--quiet", "--retries", "2")
_NPM_OPTIONS = ("--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")


class Unavailable(BenisonError):
    """A source that cannot be had on this machine now; another source may do."""


@dataclass(frozen=True)
class Source:
    """A published package that carries a data set.

    `sha256` (hex) and `size_bytes` are those of the archive that the client brings; a package that is "installed" with
    Benison has neither, and its version is whichever is there.
    """

    client: Client
    package: str
    version: str = ""
    sha256: str = ""
    size_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.client}:{self.package} {self.version}".rstrip()


def fetch(source: Source, progress: Callable[[str], None]) -> Path:
    """The verified archive of `source`; for an installed package, the folder into which it is installed.

    Raises:
      Unavailable: the client is missing or failed, or what it brought is not what the catalogue names.
    """
    if source.client == "installed":
        return _installed(source)
    archive = cache.cache_root() / "downloads" / source.sha256
    with cache.locked(archive, lambda: progress(f"{source}: waiting for another process that is fetching it")):
        if archive.is_file() and _sha256(archive) == source.sha256:
            return archive
        progress(f"fetching {source} ({source.size_bytes / 1e6:.1f} MB)")
        with cache.building(archive.with_name(f"{archive.name}.new")) as folder:
            _DOWNLOAD[source.client](source, folder)
            _verified(source, folder).rename(folder / "archive")
        fetched = archive.with_name(f"{archive.name}.new")
        os.replace(fetched / "archive", archive)
        fetched.rmdir()
        cache.sync_folder(archive.parent)
    return archive
