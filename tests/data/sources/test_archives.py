"""What is taken out of archives, and what is refused."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pyarrow
import pytest

from data.errors import BenisonError
from data.sources.archives import unpack


def tar_bytes(*members: tuple[str, bytes] | tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def zip_bytes(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def deb_bytes(name: str, data: bytes) -> bytes:
    def part(name: str, content: bytes) -> bytes:
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        return header + content + b"\n" * (len(content) % 2)

    return b"!<arch>\n" + part("debian-binary", b"2.0\n") + part("control.tar.gz", b"odd") + part(name, data)


def zstd(content: bytes) -> bytes:
    return pyarrow.compress(content, codec="zstd", asbytes=True)


FILES = (("./pack/a.txt", b"a"), ("./pack/deep/b.txt", b"bb"), ("./other/c.txt", b"ccc"))


@pytest.mark.parametrize(
    "content",
    [
        tar_bytes(*FILES, mode="w"),
        tar_bytes(*FILES),
        tar_bytes(*FILES, mode="w:xz"),
        zstd(tar_bytes(*FILES, mode="w")),
        zip_bytes(*FILES),
        deb_bytes("data.tar.xz", tar_bytes(*FILES, mode="w:xz")),
        deb_bytes("data.tar.zst", zstd(tar_bytes(*FILES, mode="w"))),
    ],
    ids=["tar", "tgz", "txz", "tzst", "zip", "deb-xz", "deb-zst"],
)
def test_the_chosen_files_are_unpacked_whatever_the_kind_of_archive(content: bytes, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    target = tmp_path / "target"
    assert unpack(archive, target, "pack/*") == [target / "pack/a.txt", target / "pack/deep/b.txt"]
    assert (target / "pack/deep/b.txt").read_bytes() == b"bb"
    assert not (target / "other").exists()


def _tar_link(name: str, to: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def _zip_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tar_bytes(("../evil", b"x")), "outside"),
        (tar_bytes(("a/../../evil", b"x")), "outside"),
        (tar_bytes(("/evil", b"x")), "outside"),
        (zip_bytes(("../evil", b"x")), "outside"),
        (zip_bytes(("..\\evil", b"x")), "outside"),
        (tar_bytes(_tar_link("out", "..", tarfile.SYMTYPE), ("out/evil", b"x")), "link"),
        (tar_bytes(_tar_link("out", "../secret", tarfile.LNKTYPE)), "link"),
        (tar_bytes(_tar_link("pipe", "", tarfile.FIFOTYPE)), "device"),
        (zip_bytes((_zip_link("out"), b".."), ("out/evil", b"x")), "link"),
        (tar_bytes(("same", b"1"), ("same", b"2")), "collides"),
        (tar_bytes(("file", b"1"), ("file/below", b"2")), "collides"),
        (tar_bytes(("big", b"x" * 4096)), "unpacks to more"),
        (zip_bytes(("big", b"0" * 4096)), "unpacks to more"),
        (tar_bytes(*((f"{n}", b"") for n in range(40))), "unpacks to more"),
        (tar_bytes(("cut", b"x" * 900))[:-40], "damaged"),
        (zip_bytes(("cut", b"x" * 900))[:-40], "damaged"),
        (b"<html>not found</html>", "damaged"),
        (deb_bytes("control.tar.xz", b""), "without data.tar"),
    ],
    # Archives hold the time at which they were made; where two processes share the tests, names must be equal in both.
    ids=lambda value: "archive" if isinstance(value, bytes) else None,
)
def test_hostile_and_damaged_archives_are_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(content)
    (tmp_path / "secret").write_text("kept")
    with pytest.raises(BenisonError, match=f"archive is refused: .*{reason}"):
        unpack(archive, tmp_path / "target", "*", max_bytes=2048, max_members=20)
    assert not (tmp_path / "evil").exists()
    assert (tmp_path / "secret").read_text() == "kept"


def test_an_archive_without_the_expected_files_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(tar_bytes(*FILES))
    with pytest.raises(BenisonError, match=r"holds no digits/\*"):
        unpack(archive, tmp_path / "target", "digits/*")
