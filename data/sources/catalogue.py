"""The catalogue of default data sets, and where any `--data` leads: to a folder on this machine.

A data set is one module in `data/sets/`, found by its name. It holds `DATA_SET`, the record, and
`prepare(archives, target, sources)`, which writes the folder convention into `target` out of verified archives.
Modules whose names begin with `_` are shared parts.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import ModuleType

from data import sets, source_digest
from data.columns import Column
from data.errors import BenisonError, WrongUse
from data.folders import tables
from data.sources.cache import Progress, build, cache_root
from data.sources.fetch import Source, fetch

__all__ = ["DataSet", "PreparedData", "Source", "cached", "get", "names", "prepare", "resolve"]


@dataclass(frozen=True)
class DataSet:
    """One data set. `sources` are alternatives in order of preference, each of the archives needed together."""

    name: str
    title: str
    licence: str
    credit: str
    sources: tuple[tuple[Source, ...], ...]


@dataclass(frozen=True)
class PreparedData:
    """A data set laid out on this machine.

    Attributes:
      root: a data folder.
      sources: the archives that it came from.
      examples: how many lie in "train" and in "eval", or in "all" where it is not split.
    """

    root: Path
    sources: tuple[Source, ...]
    examples: Mapping[str, int]
    data_set: DataSet


def names() -> list[str]:
    """The data sets of the catalogue; none of their modules is imported."""
    return sorted(m.name for m in pkgutil.iter_modules(sets.__path__) if not m.name.startswith("_"))


def get(name: str) -> DataSet:
    """
    Raises:
      WrongUse: the catalogue has no such data set.
    """
    record: DataSet = _module(name).DATA_SET
    return record


def cached(name: str, cache: Path | None = None) -> PreparedData | None:
    """The data set if it is laid out on this machine already."""
    entry = _entry(name, cache)
    try:
        record = json.loads((entry / "source.json").read_text())
    except FileNotFoundError:
        return None
    sources = tuple(Source(**source) for source in record["sources"])
    return PreparedData(entry / "files", sources, record["examples"], get(name))


def prepare(name: str, *, cache: Path | None = None, progress: Progress | None = None) -> PreparedData:
    """The data set, fetched and laid out in the cache unless it is there already.

    Its sources are tried in order; `progress` is told which are passed over, and why. Archives that have been
    fetched are kept, so that an interrupted or changed preparation does not fetch them again.

    Raises:
      WrongUse: the catalogue has no such data set.
      BenisonError: no source can be fetched, an archive is refused, or the cache cannot be written.
    """
    if found := cached(name, cache):
        return found
    say = progress or _silent
    module, downloads = _module(name), (cache or cache_root()) / "downloads"

    def make(folder: Path) -> None:
        with TemporaryDirectory(dir=folder) as scratch:
            archives, sources = _fetch_first(module.DATA_SET, downloads, Path(scratch), say)
            for source in sources:
                say(f"{name}: laying out {source.holds} from {source}")
            module.prepare(archives, folder / "files", sources)
        record = dataclasses.asdict(module.DATA_SET) | {
            "sources": [dataclasses.asdict(source) for source in sources],
            "examples": _count_examples(folder / "files"),
        }
        (folder / "source.json").write_text(json.dumps(record, indent=2, ensure_ascii=False))

    build(_entry(name, cache), make, say)
    prepared = cached(name, cache)
    assert prepared is not None, "build() returned without its entry"
    return prepared


def resolve(
    data: str, columns: Mapping[str, Column], progress: Progress | None = None, cache: Path | None = None
) -> Path:
    """The folder that `--data` means: `tfds:NAME`, a data set of the catalogue, or a folder.

    A name in the catalogue wins over a folder of that name, so that default data never depends on where a run is
    started; such a folder is written with a slash (`./mnist`).

    Raises:
      WrongUse: none of these.
      BenisonError: the data cannot be fetched.
    """
    say = progress or _silent
    if data.startswith("tfds:"):
        from data.sources.tfds import prepare_tfds

        return prepare_tfds(data, columns, cache=cache, progress=say)
    if data in names():
        if Path(data).is_dir():
            say(f"{data}: the data set of the catalogue; for the folder here write ./{data}")
        return prepare(data, cache=cache, progress=say).root
    if Path(data).is_dir():
        return Path(data)
    if Path(data).exists():
        raise WrongUse(f"{data} is a file; --data takes a folder", "Give the folder that holds it.")
    if "/" in data or data.startswith((".", "~")):
        raise WrongUse(f"there is no folder {data}", "Check the path.")
    raise _unknown(data, f"there is no folder and no data set {data!r}")


def _silent(message: str) -> None:
    """Progress for callers that want none."""


def _module(name: str) -> ModuleType:
    if name not in names():
        raise _unknown(name, f"there is no data set {name!r}")
    return importlib.import_module(f"data.sets.{name}")


def _unknown(name: str, message: str) -> WrongUse:
    close = difflib.get_close_matches(name.lower(), names(), 3)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return WrongUse(message, f"{hint}All data sets: benison data list")


def _entry(name: str, cache: Path | None) -> Path:
    """Where the data set lies: a digest of its record and of all code that lays it out, wherever in this project that
    code stands, is part of the name. Changed code, new entry."""
    module = _module(name)
    code = source_digest.digest(module.__name__, ["prepare"])
    digest = hashlib.sha256(f"{module.DATA_SET!r}{code}".encode())
    return (cache or cache_root()) / "data" / f"{name}-{digest.hexdigest()[:12]}"


def _count_examples(root: Path) -> dict[str, int]:
    """Examples by split: the rows of its tables or, where it has none, its files."""
    files: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for path in root.rglob("*"):
        if path.is_file() and path.suffix != ".json":
            first = Path(path.relative_to(root).parts[0]).stem
            split = first if first in ("train", "eval") else "all"
            if path.suffix in tables.SUFFIXES:
                rows[split] += sum(1 for _ in tables.rows(path, ()))
            else:
                files[split] += 1
    return dict(sorted((rows or files).items()))


def _fetch_first(
    record: DataSet, downloads: Path, scratch: Path, progress: Progress
) -> tuple[list[Path], tuple[Source, ...]]:
    """The archives of the first alternative that can be had whole."""
    failures: list[tuple[Source, BenisonError]] = []
    for sources in record.sources:
        archives: list[Path] = []
        for source in sources:
            try:
                archives.append(fetch(source, downloads, Path(mkdtemp(dir=scratch)), progress))
            except BenisonError as error:
                progress(f"{record.name}: passed over {source}: {error.message.splitlines()[0]}")
                failures.append((source, error))
                break
        else:
            return archives, sources
    reasons = "".join(f"\n  {source}: {error.message}" for source, error in failures)
    fixes = [error.fix for _, error in failures]
    elsewhere = (
        f"or run `benison data prepare {record.name}` where there is a network and copy its cache to {downloads.parent}"
    )
    raise BenisonError(f"the data set {record.name} cannot be fetched:{reasons}", "\n     ".join([*fixes, elsewhere]))
