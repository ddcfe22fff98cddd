"""Reading the tensors of a file that PyTorch's `torch.save` wrote before version 1.6, without PyTorch.

Such a file is five pickles, then the storages: a magic number, the protocol, the sizes of the writer's types, the
dictionary of tensors, whose storages it names by keys, and the list of these keys; then for each key the number of its
elements, int64, and the elements. Pickles can run anything, so that the unpickler here knows only the four names that a
dictionary of tensors needs and refuses every other.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from data.errors import BenisonError

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_ELEMENTS = 1 << 30


class _Storage(NamedTuple):
    dtype: str
    key: str


class _View(NamedTuple):
    """A tensor: part of a storage. Offset and strides are in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _view(storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no tensor needs")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 3 or pid[0] != "storage":
            raise pickle.UnpicklingError(f"it names a storage in an unknown way: {pid!r:.80}")
        return _Storage(pid[1], pid[2])


def read(path: Path) -> dict[str, np.ndarray]:
    """Name -> array of a file that holds a dictionary of tensors of float32 or int64.

    Raises:
      BenisonError: it is no such file, it is damaged, or it names what no tensor needs.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BenisonError(f"{path.name} is refused: {error}", "Do not use this archive; please report it.") from error


def _read(file: IO[bytes]) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != MAGIC or _Unpickler(file).load() != PROTOCOL:
        raise ValueError("it is no file of PyTorch's old format")
    if not _Unpickler(file).load().get("little_endian"):
        raise ValueError("its numbers are big-endian")
    views: dict[str, _View] = dict(_Unpickler(file).load())
    dtypes = {view.storage.key: view.storage.dtype for view in views.values()}
    storages = {key: _storage(file, np.dtype(dtypes[key])) for key in _Unpickler(file).load()}
    return {name: _array(storages[view.storage.key], view) for name, view in views.items()}


def _storage(file: IO[bytes], dtype: np.dtype) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    if count > MAX_ELEMENTS:
        raise ValueError(f"a storage of {count} elements")
    content = file.read(count * dtype.itemsize)
    if len(content) != count * dtype.itemsize:
        raise EOFError("it ends within a storage")
    return np.frombuffer(content, dtype)


def _array(storage: np.ndarray, view: _View) -> np.ndarray:
    """A copy, in C order, of what the view shows of its storage."""
    if len(view.shape) != len(view.strides) or view.offset < 0 or min(view.strides, default=0) < 0:
        raise ValueError("a tensor's strides do not fit its shape")
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if 0 in view.shape or last >= storage.size:
        raise ValueError("a tensor lies outside of its storage")
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides, writeable=False).copy("C")
