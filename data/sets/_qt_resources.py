"""Files out of a Qt resource container (`.rcc`), which programs written with Qt carry their pictures in.

A header of big-endian numbers says where three parts begin: a tree of nodes, the data, and the names. A node is a
folder, which counts its children and says which comes first, or a file, which says where its data begin.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from data.errors import BenisonError

MAGIC = b"qres"
ZLIB, FOLDER, ZSTD = 1, 2, 4
"""Flags of a node."""

MAX_DEPTH = 64
MAX_BYTES = 64 << 20
"""Of one file, unpacked."""


def files(container: Path) -> dict[str, bytes]:
    """Path inside the container -> content, in the order of the container.

    Raises:
      BenisonError: it is no such container, it is damaged, or its files are packed in a way that is not read here.
    """
    content = container.read_bytes()
    try:
        if content[:4] != MAGIC:
            raise ValueError("it is no container of Qt's")
        return dict(_Tree(content).walk(0, (), MAX_DEPTH))
    except (ValueError, struct.error, zlib.error, UnicodeError) as error:
        raise BenisonError(
            f"{container.name} is refused: {error}", "Do not use this archive; please report it."
        ) from error


class _Tree:
    def __init__(self, content: bytes) -> None:
        version, self._nodes, self._data, self._names = struct.unpack_from(">4I", content, 4)
        self._content, self._size = content, 22 if version >= 2 else 14

    def walk(self, node: int, way: tuple[str, ...], depth: int) -> Iterator[tuple[str, bytes]]:
        """The files below a node, whose path is `way`."""
        at = self._nodes + node * self._size
        _, flags, first_word, second_word = struct.unpack_from(">IHII", self._content, at)
        if not flags & FOLDER:
            yield "/".join(way), self._file(second_word, flags)
            return
        if depth == 0:
            raise ValueError("its folders lie too deep")
        for child in range(second_word, second_word + first_word):
            if child <= node:
                raise ValueError("a folder lies in itself")
            yield from self.walk(child, (*way, self._name(child)), depth - 1)

    def _name(self, node: int) -> str:
        (offset,) = struct.unpack_from(">I", self._content, self._nodes + node * self._size)
        (length,) = struct.unpack_from(">H", self._content, self._names + offset)
        begin = self._names + offset + 6  # the length and a hash
        return self._content[begin : begin + 2 * length].decode("utf-16-be")

    def _file(self, offset: int, flags: int) -> bytes:
        (length,) = struct.unpack_from(">I", self._content, self._data + offset)
        begin = self._data + offset + 4
        packed = self._content[begin : begin + length]
        if len(packed) != length:
            raise ValueError("it ends within a file")
        if flags & ZSTD:
            raise ValueError("a file is packed with zstd")
        if not flags & ZLIB:
            return packed
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed[4:], MAX_BYTES)  # behind the unpacked length
        if unpacker.unconsumed_tail:
            raise ValueError(f"a file unpacks to more than {MAX_BYTES} bytes")
        return unpacked
