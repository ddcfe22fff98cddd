"""Entries of the catalogue: what a registry's archives become on this machine, each one module found by its name.

All entries of one kind (data sets, assets) are the modules of one package. Each holds its record, and
`prepare(archives, target, sources)`, which fills the folder `target` out of verified archives. Modules whose names
begin with `_` are shared parts.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import ModuleType
from typing import Any, Generic, TypeVar

from data import source_digest
from data.errors import BenisonError, WrongUse
from data.sources.cache import Progress, build, cache_root
from data.sources.fetch import Source, fetch


@dataclass(frozen=True)
class Entry:
    """One entry. `sources` are alternatives in order of preference, each of the archives needed together."""

    name: str
    title: str
    licence: str
    credit: str
    sources: tuple[tuple[Source, ...], ...]


E = TypeVar("E", bound=Entry)


def silent(message: str) -> None:
    """Progress for callers that want none."""


@dataclass(frozen=True)
class Shelf(Generic[E]):
    """All entries of one kind."""

    package: ModuleType
    record: str
    """Name of the record in each module."""
    kind: str
    """In words."""

    def names(self) -> list[str]:
        """Of the entries; none of their modules is imported."""
        return sorted(m.name for m in pkgutil.iter_modules(self.package.__path__) if not m.name.startswith("_"))

    def get(self, name: str) -> E:
        """
        Raises:
          WrongUse: there is no such entry.
        """
        entry: E = getattr(self._module(name), self.record)
        return entry

    def function(self, name: str, called: str) -> Callable[..., Any] | None:
        """A function of an entry's module, where it has one of that name."""
        found: Callable[..., Any] | None = getattr(self._module(name), called, None)
        return found

    def folder(self, name: str, cache: Path | None) -> Path:
        """Where the entry lies: a digest of its record and of all code that lays it out, wherever in this project that
        code stands, is part of the name. Changed code, new folder."""
        module = self._module(name)
        code = source_digest.digest(module.__name__, ["prepare"])
        digest = hashlib.sha256(f"{getattr(module, self.record)!r}{code}".encode())
        return (cache or cache_root()) / "data" / f"{name}-{digest.hexdigest()[:12]}"

    def cached(self, name: str, cache: Path | None) -> dict[str, Any] | None:
        """What was written down of the entry when it was laid out here, in `files`; None if it was not."""
        try:
            found: dict[str, Any] = json.loads((self.folder(name, cache) / "source.json").read_text())
        except FileNotFoundError:
            return None
        return found

    def prepare(
        self,
        name: str,
        cache: Path | None,
        progress: Progress,
        about: Callable[[Path], Mapping[str, Any]] = lambda files: {},
    ) -> None:
        """Fetches the entry and lays it out in the cache unless it is there already. `about`: what else to write down.

        Its sources are tried in order; `progress` is told which are passed over, and why. Archives that have been
        fetched are kept, so that an interrupted or changed preparation does not fetch them again.

        Raises:
          WrongUse: there is no such entry.
          BenisonError: no source can be fetched, an archive is refused, or the cache cannot be written.
        """
        module, entry, downloads = self._module(name), self.get(name), (cache or cache_root()) / "downloads"

        def make(folder: Path) -> None:
            with TemporaryDirectory(dir=folder) as scratch:
                archives, sources = self._fetch_first(entry, downloads, Path(scratch), progress)
                for source in sources:
                    progress(f"{name}: laying out {source.holds} from {source}")
                module.prepare(archives, folder / "files", sources)
            known = {field.name: getattr(entry, field.name) for field in dataclasses.fields(Entry)}
            record = known | {"sources": [dataclasses.asdict(source) for source in sources], **about(folder / "files")}
            (folder / "source.json").write_text(json.dumps(record, indent=2, ensure_ascii=False))

        build(self.folder(name, cache), make, progress)

    def unknown(self, name: str, message: str) -> WrongUse:
        """The error for a name that is none, with those that are like it."""
        close = difflib.get_close_matches(name.lower(), self.names(), 3)
        hint = f"Did you mean {' or '.join(close)}? " if close else ""
        return WrongUse(message, f"{hint}All {self.kind}s: benison data list")

    def _module(self, name: str) -> ModuleType:
        if name not in self.names():
            raise self.unknown(name, f"there is no {self.kind} {name!r}")
        return importlib.import_module(f"{self.package.__name__}.{name}")

    def _fetch_first(
        self, entry: Entry, downloads: Path, scratch: Path, progress: Progress
    ) -> tuple[list[Path], tuple[Source, ...]]:
        """The archives of the first alternative that can be had whole."""
        failures: list[tuple[Source, BenisonError]] = []
        for sources in entry.sources:
            archives: list[Path] = []
            for source in sources:
                try:
                    archives.append(fetch(source, downloads, Path(mkdtemp(dir=scratch)), progress))
                except BenisonError as error:
                    progress(f"{entry.name}: passed over {source}: {error.message.splitlines()[0]}")
                    failures.append((source, error))
                    break
            else:
                return archives, sources
        reasons = "".join(f"\n  {source}: {error.message}" for source, error in failures)
        fixes = [error.fix for _, error in failures]
        elsewhere = (
            f"or run `benison data prepare {entry.name}` where there is a network and copy its cache to "
            f"{downloads.parent}"
        )
        raise BenisonError(
            f"the {self.kind} {entry.name} cannot be fetched:{reasons}", "\n     ".join([*fixes, elsewhere])
        )
