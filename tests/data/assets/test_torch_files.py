"""Files as `torch.save` wrote them before version 1.6, made here without PyTorch."""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from data.assets import _torch_files
from data.errors import BenisonError


class FloatStorage:
    """Stands for torch's; pickled by its name alone."""

    __module__ = "torch"

    def __init__(self, key: str, values: np.ndarray) -> None:
        self.key, self.values = key, values


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        return ("storage", FloatStorage, obj.key, "cpu", obj.values.size, None) if type(obj) is FloatStorage else None


def _rebuild_tensor_v2(*arguments: Any) -> Any:
    raise AssertionError("only its name is used")


class Tensor:
    def __init__(
        self, storage: FloatStorage, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
    ) -> None:
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> Any:
        return _rebuild_tensor_v2, self.arguments


@pytest.fixture(autouse=True)
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickle looks up what it names."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2  # type: ignore[attr-defined]
    monkeypatch.setattr(_rebuild_tensor_v2, "__module__", "torch._utils")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def saved(path: Path, tensors: dict[str, Any], storages: list[FloatStorage]) -> Path:
    out = io.BytesIO()
    for value in (_torch_files.MAGIC, _torch_files.PROTOCOL, {"little_endian": True}):
        pickle.dump(value, out, 2)
    _Pickler(out, 2).dump(OrderedDict(tensors))
    pickle.dump([storage.key for storage in storages], out, 2)
    for storage in storages:
        out.write(storage.values.size.to_bytes(8, "little") + storage.values.astype("<f4").tobytes())
    path.write_bytes(out.getvalue())
    return path


def test_tensors_are_read_with_their_strides_and_offsets(tmp_path: Path) -> None:
    plain, other = FloatStorage("7", np.arange(6)), FloatStorage("3", np.arange(10, 20))
    tensors = {
        "rows": Tensor(plain, (2, 3), (3, 1)),
        "columns": Tensor(plain, (2, 3), (1, 2)),
        "part": Tensor(other, (2, 2), (4, 1), offset=3),
        "scalar": Tensor(other, (), (), offset=9),
    }
    found = _torch_files.read(saved(tmp_path / "w.pth", tensors, [other, plain]))
    assert found["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["columns"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert found["part"].tolist() == [[13, 14], [17, 18]]
    assert found["scalar"] == 19
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in found.values())


class Attack:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_what_no_tensor_needs_is_not_even_named(tmp_path: Path) -> None:
    file = saved(tmp_path / "w.pth", {"weight": Attack(f"touch {tmp_path / 'ran'}")}, [])
    with pytest.raises(BenisonError, match=r"w.pth is refused: it names \w+.system"):
        _torch_files.read(file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (((4, 2), (2, 1), 0), "outside of its storage"),
        (((2,), (1,), 5), "outside of its storage"),
        (((2, 2), (-1, 1), 2), "strides do not fit"),
        (((2, 2), (1,), 0), "strides do not fit"),
    ],
)
def test_a_tensor_stays_within_its_storage(tmp_path: Path, tensor: Any, why: str) -> None:
    storage = FloatStorage("0", np.arange(6))
    shape, strides, offset = tensor
    file = saved(tmp_path / "w.pth", {"weight": Tensor(storage, shape, strides, offset)}, [storage])
    with pytest.raises(BenisonError, match=why):
        _torch_files.read(file)


def test_damage_is_refused(tmp_path: Path) -> None:
    storage = FloatStorage("0", np.arange(600))
    file = saved(tmp_path / "w.pth", {"weight": Tensor(storage, (600,), (1,))}, [storage])
    whole = file.read_bytes()
    for cut in (0, 5, len(whole) // 8, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(BenisonError, match="w.pth is refused"):
            _torch_files.read(file)
    file.write_bytes(b"\x89PNG" + whole)
    with pytest.raises(BenisonError, match="w.pth is refused"):
        _torch_files.read(file)
