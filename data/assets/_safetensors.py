"""Reading tensors of a safetensors file: the length of a header, the header, JSON, and the tensors behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import BenisonError

MAX_HEADER_BYTES = 16 << 20
_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}


def read(path: Path, name: str) -> np.ndarray[Any, Any]:
    """One tensor of floats.

    Raises:
      BenisonError: it is no such file, it is damaged, or it has no such tensor.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if size > MAX_HEADER_BYTES:
                raise ValueError(f"a header of {size} bytes")
            about = json.loads(file.read(size))[name]
            begin, end = about["data_offsets"]
            shape, dtype = about["shape"], np.dtype(_DTYPES[about["dtype"]])
            if end - begin != np.prod(shape) * dtype.itemsize or begin < 0:
                raise ValueError("a tensor's place does not fit its shape")
            file.seek(8 + size + begin)
            content = file.read(end - begin)
        return np.frombuffer(content, dtype).reshape(shape)
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise BenisonError(
            f"{path.name} is refused: {error!r}", "Do not use this archive; please report it."
        ) from error
