"""Files of a user's folder: those inside are read, and none that lies outside is ever opened."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from data.errors import BadFile
from data.folders import files
from data.folders.files import Inside, is_hidden, printable, tree_digest, visible


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "data"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "a.txt").write_text("a")
    return folder


def refused(folder: Path, name: str) -> BadFile:
    with pytest.raises(BadFile) as found:
        Inside(folder).read(str(folder), name)
    return found.value


def test_a_file_is_read_by_its_relative_path(folder: Path) -> None:
    assert Inside(folder).read(str(folder), "part/a.txt") == b"a"
    assert Inside(folder).read(str(folder / "part"), "./a.txt") == b"a"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "part/../../secret.txt",
        "/etc/hostname",
        "\\\\host\\x",
        "C:\\x",
        "C:x",
        "part\\..\\..\\x",
        "a\0",
    ],
)
def test_a_path_that_leaves_is_an_attack_on_any_system(folder: Path, name: str) -> None:
    error = refused(folder, name)
    assert error.attack and "leaves its folder" in str(error)


@pytest.mark.parametrize("link", ["secret.txt", ".."])
def test_a_link_that_leads_out_is_an_attack(folder: Path, link: str) -> None:
    (folder / "link").symlink_to(folder.parent / link)
    error = refused(folder, "link" if link.endswith(".txt") else "link/secret.txt")
    assert error.attack and "a link leads out" in str(error)


def test_a_link_that_stays_inside_is_followed(folder: Path) -> None:
    (folder / "link.txt").symlink_to("part/a.txt")
    assert Inside(folder).read(str(folder), "link.txt") == b"a"


def test_what_is_no_ordinary_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "not an ordinary file" in str(refused(folder, "pipe"))
    assert "not an ordinary file" in str(refused(folder, "part"))


def test_a_file_that_is_too_large_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 4)
    (folder / "large").write_bytes(b"12345")
    assert "5 bytes; the largest file taken has 4" in str(refused(folder, "large"))


def test_a_file_that_is_missing_says_how_folders_are_parted(folder: Path) -> None:
    assert str(refused(folder, "b.txt")).startswith("there is no such file")
    assert "write / between folders" in str(refused(folder, "part\\a.txt"))


@pytest.mark.parametrize(("on_disk", "asked"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_name_is_found_in_either_unicode_form(folder: Path, on_disk: str, asked: str) -> None:
    name = "größe/é.txt"
    lying = folder / unicodedata.normalize(on_disk, name)  # type: ignore[arg-type]
    lying.parent.mkdir()
    lying.write_text("found")
    assert Inside(folder).read(str(folder), unicodedata.normalize(asked, name)) == b"found"  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [".git", "@eaDir", "Thumbs.db", "__MACOSX", "lost+found", "#recycle"])
def test_what_systems_leave_is_no_data(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    assert is_hidden(name)
    assert [entry.name for entry in visible(folder)] == ["part"]


def test_a_name_that_is_no_utf8_can_be_shown(folder: Path) -> None:
    assert printable(os.fsdecode(b"a\xff.txt")) == "a\\udcff.txt"
    assert "not valid UTF-8" in str(refused(folder, os.fsdecode(b"a\xff.txt")))


def test_the_digest_follows_what_a_folder_holds(folder: Path) -> None:
    first = tree_digest(folder)
    assert tree_digest(folder) == first
    (folder / ".DS_Store").write_text("left by a system")
    assert tree_digest(folder) == first
    os.rename(folder / "part" / "a.txt", folder / "part" / "b.txt")
    renamed = tree_digest(folder)
    (folder / "link").symlink_to("part/b.txt")
    linked = tree_digest(folder)
    (folder / "part" / "b.txt").write_text("longer")
    assert len({first, renamed, linked, tree_digest(folder)}) == 4


def test_what_is_streamed_may_be_larger_than_what_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film.mp4").write_bytes(b"0123456789")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 9)
    inside = Inside(tmp_path)
    with pytest.raises(BadFile, match="10 bytes; the largest file taken has 9"):
        inside.content(str(tmp_path), "film.mp4", streamed=False)
    opened = inside.content(str(tmp_path), "film.mp4", streamed=True)
    assert not isinstance(opened, bytes)
    with opened:
        assert opened.read(4) == b"0123"
    told = {"folder": "not an ordinary file", "../a.mp4": "leaves", "none.mp4": "no such", 7: "name"}
    for name, reason in told.items():
        with pytest.raises(BadFile, match=reason):
            inside.content(str(tmp_path), name, streamed=True)
