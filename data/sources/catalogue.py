"""The catalogue of default data sets, and where any `--data` leads: to a folder on this machine.

A data set is one module in `data/sets/`, found by its name. It holds `DATA_SET`, the record, and
`prepare(archives, target, sources)`, which writes the folder convention into `target` out of verified archives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data import sets
from data.columns import Column
from data.errors import WrongUse
from data.folders import tables
from data.sources.cache import Progress
from data.sources.fetch import Source
from data.sources.shelf import Entry, Shelf, silent

__all__ = ["DataSet", "PreparedData", "Source", "cached", "get", "names", "prepare", "resolve"]


@dataclass(frozen=True)
class DataSet(Entry):
    """One data set."""


SETS: Shelf[DataSet] = Shelf(sets, "DATA_SET", "data set")


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
    return SETS.names()


def get(name: str) -> DataSet:
    """
    Raises:
      WrongUse: the catalogue has no such data set.
    """
    return SETS.get(name)


def cached(name: str, cache: Path | None = None) -> PreparedData | None:
    """The data set if it is laid out on this machine already."""
    record = SETS.cached(name, cache)
    if record is None:
        return None
    sources = tuple(Source(**source) for source in record["sources"])
    return PreparedData(SETS.folder(name, cache) / "files", sources, record["examples"], get(name))


def prepare(name: str, *, cache: Path | None = None, progress: Progress | None = None) -> PreparedData:
    """The data set, fetched and laid out in the cache unless it is there already: see `Shelf.prepare`.

    Raises:
      WrongUse: the catalogue has no such data set.
      BenisonError: no source can be fetched, an archive is refused, or the cache cannot be written.
    """
    if found := cached(name, cache):
        return found
    SETS.prepare(name, cache, progress or silent, lambda files: {"examples": _count_examples(files)})
    prepared = cached(name, cache)
    assert prepared is not None, "Shelf.prepare returned without its entry"
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
    say = progress or silent
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
    raise SETS.unknown(data, f"there is no folder and no data set {data!r}")


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
    if rows.keys() > {"train", "eval"}:
        del rows["all"]  # what a column of the data reads beside its records, as replies
    return dict(sorted((rows or files).items()))
