"""Assets: what a task builds on beside its data, such as pretrained weights, as files on this machine.

An asset is one module in `data/assets/`, found by its name. It holds `ASSET`, the record, and
`prepare(archives, target, sources)`, which writes `FILE` into `target` out of verified archives: named tensors in
numpy's own .npz, in which nothing can be run. Of the same form is a file of a user's own that takes an asset's place;
or, where the module has `from_own(file)`, of the form that people of the field have, from which that makes the tensors.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import assets
from data.errors import BadFile, BenisonError, WrongUse
from data.sources.cache import Progress, build
from data.sources.shelf import Entry, Shelf, silent

if TYPE_CHECKING:
    import numpy as np

FILE = "tensors.npz"
"""Of a prepared asset."""

NONE = "none"
"""What a person gives in place of a file to do without an asset."""

_DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises that is no .npz: RuntimeError where it is encrypted, or packed by an unknown method."""


@dataclass(frozen=True)
class Asset(Entry):
    """One asset. `tensors`: the shape of each that a file must hold to take its place, None for a side of any length.
    It may hold others beside."""

    tensors: Mapping[str, tuple[int | None, ...]]


ASSETS: Shelf[Asset] = Shelf(assets, "ASSET", "asset")


@dataclass(frozen=True)
class Located:
    """An asset's file on this machine. `digest` changes with what the file holds."""

    file: str
    digest: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def files_of(located: Mapping[str, Mapping[str, str] | None]) -> dict[str, str | None]:
    """The files alone, of what `Located.to_json` gave of each asset."""
    return {name: None if one is None else one["file"] for name, one in located.items()}


def prepare(name: str, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The file of a catalogue's asset, fetched and written into the cache unless it is there already.

    Raises:
      WrongUse: the catalogue has no such asset.
      BenisonError: no source can be fetched, an archive is refused, or the cache cannot be written.
    """
    if ASSETS.cached(name, cache) is None:
        ASSETS.prepare(name, cache, progress or silent)
    return ASSETS.folder(name, cache) / "files" / FILE


def cached(name: str, cache: Path | None = None) -> Path | None:
    """The file of an asset if it is on this machine already."""
    return None if ASSETS.cached(name, cache) is None else ASSETS.folder(name, cache) / "files" / FILE


def locate(
    wanted: Mapping[str, str],
    chosen: Mapping[str, str],
    progress: Progress | None = None,
    cache: Path | None = None,
) -> dict[str, Located | None]:
    """Where the assets of a task lie, after each was fetched or, if it is a user's file, checked.

    Args:
      wanted: a task's own name of each asset -> its name in the catalogue.
      chosen: the same names -> a user's file, `NONE`, or nothing for the catalogue's.

    Returns:
      None for an asset that is done without.

    Raises:
      WrongUse: a user's file is not there, is no .npz of tensors, or holds others than the asset that it replaces.
      BenisonError: an asset cannot be fetched.
    """
    found: dict[str, Located | None] = {}
    for name, asset in wanted.items():
        choice = chosen.get(name, "")
        if choice == NONE:
            found[name] = None
        elif choice:
            found[name] = _own(name, choice, ASSETS.get(asset), cache)
        else:
            found[name] = _of_catalogue(name, asset, progress, cache)
    return found


def _of_catalogue(name: str, asset: str, progress: Progress | None, cache: Path | None) -> Located:
    try:
        file = prepare(asset, cache=cache, progress=progress)
    except WrongUse:
        raise
    except BenisonError as error:
        instead = f"or give a file of the same form, --set {name}=FILE; or do without, --set {name}={NONE}"
        raise BenisonError(error.message, f"{error.fix}\n     {instead}") from error
    return Located(str(file.resolve()), ASSETS.folder(asset, cache).name)


def _own(name: str, choice: str, asset: Asset, cache: Path | None) -> Located:
    file, given = Path(choice).expanduser(), f"--set {name}={choice}"
    other = f"leave {name} out for the asset {asset.name}, or write {name}={NONE} to do without"
    from_own = ASSETS.function(asset.name, "from_own")
    form = f"a file as data/assets/{asset.name}.py says" if from_own else "an .npz file of named tensors"
    if not file.is_file():
        what = "a folder" if file.is_dir() else "not there"
        raise WrongUse(f"{given}: that file is {what}", f"give the path of {form}; {other}")
    digest = _digest(file)
    try:
        if from_own and file.suffix != ".npz":
            file = _converted(file, from_own, asset.name, digest, cache)
        tensors = read_tensors(file)
    except BadFile as error:
        fix = f"mend the file, which is to be {form}" if from_own else "write it by numpy.savez(FILE, **tensors)"
        raise WrongUse(f"{given}: {error}", f"{fix}; {other}") from error
    if wrong := _differences(tensors, asset.tensors):
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise WrongUse(
            f"{given}: it does not hold the tensors of {asset.name}: {wrong[0]}{more}",
            f"`benison data prepare {asset.name}` prints a file to compare with, data/assets/{asset.name}.py says "
            f"which tensors it must hold; {other}",
        )
    return Located(str(file.resolve()), digest)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _converted(
    file: Path, from_own: Callable[[Path], Mapping[str, np.ndarray]], asset: str, digest: str, cache: Path | None
) -> Path:
    """The tensors of a person's file in a form of ours, made once for one content."""
    import numpy as np

    folder = ASSETS.folder(asset, cache)
    made = folder.with_name(f"{folder.name}-own-{digest}")
    build(made, lambda target: np.savez(target / FILE, **from_own(file)), silent)
    return made / FILE


def _differences(tensors: Mapping[str, np.ndarray], wanted: Mapping[str, tuple[int | None, ...]]) -> list[str]:
    import numpy as np

    wrong = []
    for name, shape in wanted.items():
        if name not in tensors:
            wrong.append(f"there is no {name!r}")
        elif not _fits(tensors[name].shape, shape):
            sides = ", ".join("any" if side is None else str(side) for side in shape)
            wrong.append(f"{name!r} is of shape {list(tensors[name].shape)}, not [{sides}]")
        elif not (np.issubdtype(tensors[name].dtype, np.floating) and np.isfinite(tensors[name]).all()):
            wrong.append(f"{name!r} holds what is no finite number")
    return wrong


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    pairs = zip(shape, wanted, strict=False)
    return len(shape) == len(wanted) and all(side is None or own == side for own, side in pairs)


def read_tensors(file: Path) -> dict[str, Any]:
    """Name -> array, of an .npz file. Nothing in it is run: pickled objects are refused.

    Raises:
      BadFile: it is no such file, it is damaged, or it holds what is no tensor.
    """
    import numpy as np

    try:
        content = np.load(file, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise BadFile("it holds one array, not named tensors")
        with content:
            return {name: content[name] for name in content.files}
    except BadFile:
        raise
    except _DAMAGED as error:
        raise BadFile(f"it is no .npz file of tensors, or damaged ({error})") from error
