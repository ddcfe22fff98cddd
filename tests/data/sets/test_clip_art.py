"""Clip art from a made-up archive: cut, laid on white, near copies and pictograms left out, series on one side."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from data.sets import clip_art

ROOT = "usr/share/openclipart/png"


def png(number: int, side: int = 300) -> bytes:
    """A drawing in the middle of a large transparent sheet."""
    rng = np.random.default_rng(number)
    sheet = Pillow.new("RGBA", (2 * side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(sheet)
    for colour, box in zip(rng.integers(0, 200, (4, 3)), rng.integers(100, 200, (4, 2, 2)), strict=True):
        (left, right), (top, bottom) = np.sort(box[0]), np.sort(box[1])
        draw.rectangle((left, top, right, bottom), fill=(*colour.tolist(), 255))
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clip_art")
    members = {f"{ROOT}/animals/birds/{chr(97 + n // 3)}{chr(97 + n % 3)}wl_{n % 3}.png": png(n) for n in range(30)}
    members |= {f"{ROOT}/food/longname_series_{n}.png": png(100 + n) for n in range(6)}
    members |= {
        f"{ROOT}/food/copy_of_it.png": png(0),
        f"{ROOT}/transportation/roadsigns/stop.png": png(300),
    }
    with tarfile.open(root / "archive", "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo(f"{ROOT}/animals/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "birds/aawl_0.png"
        tar.addfile(link)
    clip_art.prepare([root / "archive"], root / "files", clip_art.DATA_SET.sources[0])
    return root / "files"


def test_drawings_are_cut_and_laid_on_white(folder: Path) -> None:
    files = sorted(folder.rglob("*.png"))
    assert {path.parts[-3] for path in files} == {"train", "eval"}
    for path in files:
        with Pillow.open(path) as picture:
            assert picture.mode == "RGB" and max(picture.size) <= clip_art.LONGEST
            pixels = np.asarray(picture)
            assert all((edge < clip_art.WHITE).any() for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def test_copies_links_and_pictograms_are_left_out_and_a_series_is_on_one_side(folder: Path) -> None:
    names = [path.name for path in folder.rglob("*.png")]
    assert not any("copy_of_it" in name or "stop" in name or "link" in name for name in names)
    assert len({path.parts[-3] for path in folder.rglob("*longname_series*")}) == 1
    assert {path.parts[-2] for path in folder.rglob("*.png")} >= {"animals", "food"}
