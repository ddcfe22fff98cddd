"""Photographs out of made-up archives: what is taken, what is left out, and what stays on one side."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from data.errors import BenisonError
from data.sets import _qt_resources, things
from tests.archives import tar_gz


def encoded(kind: str, size: tuple[int, int] = (40, 20), colour: Any = (200, 0, 0, 255)) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("RGBA", size, colour).save(buffer, kind)
    return buffer.getvalue()


def container(files: Mapping[str, bytes], packed: bool = False) -> bytes:
    """Qt's container of version 3: the root's children first, then theirs, level by level."""
    root: dict[str, Any] = {}
    for path, content in files.items():
        *folders, name = path.split("/")
        place = root
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = content
    nodes, names, data = [], b"", b""
    waiting: list[tuple[str, Any]] = [("", root)]
    begun = 1
    while waiting:
        name, what = waiting.pop(0)
        at = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        if isinstance(what, dict):
            nodes.append(struct.pack(">IHIIQ", at, 2, len(what), begun, 0))
            begun += len(what)
            waiting += list(what.items())
        else:
            content = struct.pack(">I", len(what)) + zlib.compress(what) if packed else what
            nodes.append(struct.pack(">IHIIQ", at, int(packed), 0, len(data), 0))
            data += struct.pack(">I", len(content)) + content
    header = 24
    tree = header + len(data) + len(names)
    return b"qres" + struct.pack(">5I", 3, tree, header, header + len(data), 0) + data + names + b"".join(nodes)


STAMPS = {
    **{f"animals/birds/{name}.png": encoded("png") for name in ("crow", "duck", "owl", "lark", "gnu_a", "gnu_b")},
    **{f"animals/birds/cartoon/{name}.png": encoded("png") for name in ("tweet", "peep")},
    "animals/mammals/bears/bear.png": encoded("png", (800, 400), (0, 0, 0, 0)),
    "animals/mammals/bears/edward_bear.png": encoded("png"),
    "animals/mammals/bears/bear_mirror.png": encoded("png"),
    **{f"plants/flowers/flower{number}.png": encoded("png") for number in range(8)},
    "plants/flowers/rose.svg": b"<svg/>",
}
PICTURES = {
    "resource/images/monuments/tower.webp": encoded("webp"),
    "resource/images/renewable/windmill1.webp": encoded("webp"),
    "resource/images/renewable/dam1.webp": encoded("webp"),
    "resource/images/monuments/list.qml": b"import QtQuick",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stamps = tar_gz(tmp_path / "stamps", {f"./{things.STAMPS}{name}": content for name, content in STAMPS.items()})
    gcompris = tar_gz(tmp_path / "gcompris", {f"./{things.CONTAINER}": container(PICTURES)})
    things.prepare([stamps, gcompris], tmp_path / "files", things.DATA_SET.sources[0])
    return tmp_path / "files"


def names(folder: Path, kind: str) -> dict[str, set[str]]:
    return {split: {path.stem for path in (folder / split / kind).glob("*")} for split in ("train", "eval")}


def test_photographs_are_taken_by_kind_and_nothing_else(folder: Path) -> None:
    found = {path.parts[-2:] for path in folder.rglob("*.jpg")}
    assert {name for kind, name in found if kind == "mammal"} == {"bear.jpg"}
    assert {name for kind, name in found if kind == "bird"} == {
        f"{name}.jpg" for name in ("crow", "duck", "owl", "lark", "gnu_a", "gnu_b")
    }
    assert {name for kind, name in found if kind in ("building", "windmill")} == {
        "gcompris_tower.jpg",
        "gcompris_windmill1.jpg",
    }


def test_what_may_be_of_one_photograph_is_on_one_side_and_a_quarter_is_for_evaluation(folder: Path) -> None:
    flowers, birds = names(folder, "flower"), names(folder, "bird")
    assert len(flowers["eval"]) == 2 and len(flowers["train"]) == 6, "numbers alone are no common name"
    assert 1 <= len(birds["eval"]) <= 2
    assert any({"gnu_a", "gnu_b"} <= side for side in birds.values())


def test_pictures_lie_on_white_and_are_small(folder: Path) -> None:
    with Pillow.open(next(folder.rglob("bear.jpg"))) as picture:
        assert picture.size == (things.LONGEST, things.LONGEST // 2)
        assert picture.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("packed", [False, True])
def test_a_container_gives_its_files(tmp_path: Path, packed: bool) -> None:
    files = {"a/b/one.txt": b"first", "a/two.txt": b"second" * 100, "three.txt": b""}
    (tmp_path / "c.rcc").write_bytes(container(files, packed))
    assert _qt_resources.files(tmp_path / "c.rcc") == files


def test_a_damaged_container_is_refused(tmp_path: Path) -> None:
    whole = container({"a/one.txt": b"first" * 50})
    for content in (b"", whole[:10], b"PK" + whole, whole[:-30]):
        (tmp_path / "c.rcc").write_bytes(content)
        with pytest.raises(BenisonError, match="c.rcc is refused"):
            _qt_resources.files(tmp_path / "c.rcc")
    looped = bytearray(whole)
    tree = struct.unpack_from(">I", whole, 8)[0]
    looped[tree + 10 : tree + 14] = struct.pack(">I", 0)
    (tmp_path / "c.rcc").write_bytes(looped)
    with pytest.raises(BenisonError, match="a folder lies in itself"):
        _qt_resources.files(tmp_path / "c.rcc")
