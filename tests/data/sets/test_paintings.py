"""Paintings put together from the pieces of made-up puzzles, and each painter on one side."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Crossed, Image
from data.folders.check import check
from data.sets import paintings

WIDTH, HEIGHT = 240, 200
MARGIN = 20
BOARD = """
QtObject {{
   property var levels : [
      {{ "pixmapfile" : "image/bg.svg",
         "width": 240,
         "height": 200 }},
{pieces}
   ]
}}
"""
PIECE = '      {{\n         "pixmapfile" : "image/{name}",\n         "x" : "{x}",\n         "y" : "{y}"\n      }},'


def encoded(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def picture(seed: int, height: int = HEIGHT - 2 * MARGIN, width: int = WIDTH - 2 * MARGIN) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def puzzle(pixels: np.ndarray, name: str) -> tuple[str, dict[str, bytes]]:
    """A board and four pieces, the upper left of which reaches over its neighbours and is see-through there."""
    pieces, lines = {}, []
    height, width = pixels.shape[:2]
    for number, (top, left) in enumerate((y, x) for y in (0, height // 2) for x in (0, width // 2)):
        part = pixels[top : top + height // 2, left : left + width // 2]
        alpha = np.full((*part.shape[:2], 1), 255, np.uint8)
        if number == 0:
            part, alpha = (np.pad(one, ((0, 10), (0, 10), (0, 0))) for one in (part, alpha))
        pieces[f"image/{name}_{number}.webp"] = encoded(np.concatenate([part, alpha], -1))
        x, y = MARGIN + left + part.shape[1] / 2, MARGIN + top + part.shape[0] / 2
        lines.append(PIECE.format(name=f"{name}_{number}.webp", x=x / WIDTH, y=y / HEIGHT))
    return BOARD.format(pieces="\n".join(lines)), pieces


def test_pieces_make_the_picture_that_they_are_of() -> None:
    pixels = picture(1)
    made = np.asarray(paintings.assembled(*puzzle(pixels, "a")))
    frame = slice(paintings._FRAME, -paintings._FRAME)
    assert np.array_equal(made, pixels[frame, frame])


def container(files: Mapping[str, bytes]) -> bytes:
    """A Qt resource container of files in one folder each, as `data.sets._qt_resources` reads it."""
    tree: dict[str, object] = {}
    for path, content in files.items():
        *folders, name = path.split("/")
        at: dict = tree
        for folder in folders:
            at = at.setdefault(folder, {})
        at[name] = content
    nodes, names, data = [], b"", b""
    queue: list[tuple[str, object]] = [("", tree)]
    while queue:
        name, what = queue.pop(0)
        offset = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        if isinstance(what, dict):
            nodes.append((offset, 2, len(what), len(nodes) + 1 + len(queue)))
            queue += list(what.items())
        else:
            assert isinstance(what, bytes)
            nodes.append((offset, 0, 0, len(data)))
            data += struct.pack(">I", len(what)) + what
    packed = b"".join(struct.pack(">IHII", *node) for node in nodes)
    head = 20
    return (
        b"qres"
        + struct.pack(">4I", 1, head, head + len(packed), head + len(packed) + len(data))
        + packed
        + data
        + names
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("paintings")
    boards: dict[str, bytes] = {}
    for number in (*paintings.PUZZLES, 13):
        board, pieces = puzzle(picture(number), f"p{number}")
        boards[f"g/paintings/resource/board/board{number}_0.qml"] = board.encode()
        boards |= {f"g/paintings/resource/{name}": content for name, content in pieces.items()}
    details = {f"g/details/image/{name}_background.webp": encoded(picture(99, 160, 160)) for name in paintings.WHOLE}
    details |= {"g/details/image/Castle_background.webp": encoded(picture(50, 160, 500))}
    details |= {"g/details/image/Castle_0.webp": encoded(picture(51, 160, 160))}
    contents = {
        name: {f"g/{name}/resource/{i}.webp": encoded(picture(i, 160, 170)) for i in range(3)}
        for name in paintings.PHOTOGRAPHS
    }
    contents |= {"details": details, "paintings": boards}
    contents["erase"]["g/erase/resource/button.webp"] = encoded(picture(3, 40, 40))
    import tarfile

    with tarfile.open(root / "archive", "w:gz") as tar:
        for name, files in contents.items():
            content = container(files)
            info = tarfile.TarInfo(f"{paintings.CONTAINERS}{name}.rcc")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    paintings.prepare([root / "archive"], root / "files", ())
    return root / "files"


def stems(folder: Path, place: str) -> set[str]:
    return {path.stem for path in (folder / place).iterdir()}


def test_no_painter_is_on_both_sides(folder: Path) -> None:
    sides = {side: stems(folder, f"{side}/style") for side in ("train", "eval")}
    painters = {side: {name.partition("_")[0] for name in names} for side, names in sides.items()}
    assert painters["eval"] == paintings.EVALUATED and not painters["train"] & painters["eval"]
    assert len(sides["train"]) == 20 and len(sides["eval"]) == 8


def test_photographs_are_whole_large_enough_and_shrunk(folder: Path) -> None:
    names = stems(folder, "train/content") | stems(folder, "eval/content")
    assert len(names) == 5 * 3 + 1 and "details_Castle" in names and "erase_button" not in names
    assert len(stems(folder, "eval/content")) == 4
    sizes = {Pillow.open(path).size for path in folder.glob("*/content/details_Castle.jpg")}
    assert sizes == {(384, 123)}


def test_a_run_takes_it_as_it_lies(folder: Path) -> None:
    report = check(folder, {"content": Image(), "style": Crossed(kind=Image())})
    assert report.ok and not report.problems
