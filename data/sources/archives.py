"""Unpacking the archives that registries deliver, on the assumption that whoever made them is hostile.

Only contents of ordinary files are ever written, to paths that have been judged first. Links, devices, owners and
modes are never applied, so nothing can be planted that a later member would be written through.
"""

from __future__ import annotations

import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from data.errors import BenisonError

MAX_BYTES = 4 * 2**30
MAX_MEMBERS = 200_000

_AR, _ZIP, _ZSTD = b"!<arch>\n", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
_AR_HEADER_BYTES = 60
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeError)


def unpack(
    archive: Path,
    target: Path,
    *patterns: str,
    max_bytes: int = MAX_BYTES,
    max_members: int = MAX_MEMBERS,
    skip_links: bool = False,
) -> list[Path]:
    """Writes the files of an archive that match one of `patterns` under `target`; returns their paths, sorted.

    Tar (plain, gzip, bzip2, xz, zstd), zip (and so wheels) and Debian packages are told apart by their content.

    Args:
      patterns: as in `fnmatch`, on the path inside the archive without a leading "./"; `*` matches "/" too.
      max_bytes: of all members together when unpacked, chosen or not.
      skip_links: links among the chosen members are left out, not refused: of a package that links to its own files.

    Raises:
      BenisonError: damaged, nothing matches, or hostile: a path that leaves `target`, a chosen member that is a link
        or a device, two members of one name, more than `max_bytes` or `max_members`.
    """
    written, total = [], 0
    try:
        with archive.open("rb") as file:
            for count, member in enumerate(_members(file), start=1):
                total += member.size
                if total > max_bytes or count > max_members:
                    raise _refused(archive, f"it unpacks to more than {max_bytes} bytes or {max_members} files")
                path = _judged(archive, member.name)
                if member.is_folder or not any(fnmatchcase(str(path), pattern) for pattern in patterns):
                    continue
                if member.content is not None or not skip_links:
                    written.append(_write(archive, member, target / path))
    except _DAMAGED as error:
        raise _refused(archive, f"it is damaged: {error}") from error
    if not written:
        raise _refused(archive, f"it holds no {' or '.join(patterns)}")
    return sorted(written)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    is_folder: bool
    content: IO[bytes] | None
    """None for what is no ordinary file."""


def _judged(archive: Path, name: str) -> PurePosixPath:
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise _refused(archive, f"{name!r} would be written outside the folder")
    return PurePosixPath(name)


def _write(archive: Path, member: _Member, path: Path) -> Path:
    if member.content is None:
        raise _refused(archive, f"{member.name!r} is a link or a device")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            shutil.copyfileobj(member.content, out, 2**20)
    except (FileExistsError, NotADirectoryError):
        raise _refused(archive, f"{member.name!r} collides with another member") from None
    return path


def _members(file: io.BufferedReader) -> Iterator[_Member]:
    magic = file.read(len(_AR))
    file.seek(0)
    if magic.startswith(_ZIP):
        return _zip_members(file)
    return _tar_members(_debian_data(file) if magic == _AR else file)


def _zip_members(file: io.BufferedReader) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.flag_bits & 1:
                raise zipfile.BadZipFile("a member is encrypted")
            if info.is_dir() or kind not in (0, stat.S_IFREG):
                yield _Member(info.filename, info.file_size, info.is_dir(), None)
                continue
            with archive.open(info) as content:
                yield _Member(info.filename, info.file_size, False, content)


def _tar_members(stream: io.BufferedReader) -> Iterator[_Member]:
    source: IO[bytes] = stream
    if stream.peek(len(_ZSTD)).startswith(_ZSTD):
        import pyarrow  # the one zstd decoder among the packages that Benison needs anyway

        source = pyarrow.CompressedInputStream(pyarrow.PythonFile(stream, mode="r"), "zstd")
    with tarfile.open(fileobj=source, mode="r|*") as archive:
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            yield _Member(info.name, info.size, info.isdir(), content)


def _debian_data(file: io.BufferedReader) -> io.BufferedReader:
    """The data.tar.* inside a Debian package, which is an `ar` archive of three members."""
    file.seek(len(_AR))
    while len(header := file.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
        size = header[48:58].strip()
        if not size.isdigit() or header[58:] != b"`\n":
            break
        if header.startswith(b"data.tar"):
            return io.BufferedReader(_Part(file, int(size)))
        file.seek(int(size) + int(size) % 2, io.SEEK_CUR)
    raise tarfile.ReadError("a Debian package without data.tar")


class _Part(io.RawIOBase):
    """The next `size` bytes of a file."""

    def __init__(self, file: io.BufferedReader, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        block = self._file.read(min(len(buffer), self._left))
        buffer[: len(block)] = block
        self._left -= len(block)
        return len(block)


def _refused(archive: Path, reason: str) -> BenisonError:
    return BenisonError(f"{archive.name} is refused: {reason}", "Do not use this archive; please report it.")
