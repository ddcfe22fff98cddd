"""Tiles of made-up photographs: side by side, of one size, and each photograph on one side only."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Identifier, Image
from data.folders.check import check
from data.sets import photos, scenes

NAMES = ("b_by_Y", "a_by_X", "d_by_W", "c_by_Z", scenes.NO_PHOTOGRAPHS[0])
SIZE = (700, 560)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    with tarfile.open(root / "wallpapers", "w:gz") as tar:
        for name in NAMES:
            buffer = io.BytesIO()
            Pillow.fromarray(rng.integers(0, 256, (*SIZE[::-1], 3), np.uint8)).save(buffer, "JPEG")
            info = tarfile.TarInfo(f"usr/share/backgrounds/{name}.jpg")
            info.size = buffer.tell()
            buffer.seek(0)
            tar.addfile(info, buffer)
    Pillow.new("L", (300, 256), 9).save(root / "e.png")
    photos.prepare([root / "wallpapers", root / "e.png"], root / "files", photos.DATA_SET.sources[0])
    return root / "files"


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / split / "metadata.jsonl").read_text().splitlines()]


def test_each_photograph_is_on_one_side(folder: Path) -> None:
    found = {split: {row["photo"] for row in rows(folder, split)} for split in ("train", "eval")}
    assert found == {"train": {"b_by_Y", "c_by_Z", "d_by_W"}, "eval": {"a_by_X", "e"}}


def test_tiles_are_parts_of_their_photograph_none_twice(folder: Path) -> None:
    names = [row["file_name"] for row in rows(folder, "train")]
    tiles = [np.asarray(Pillow.open(folder / "train" / name)) for name in names]
    assert len(names) == 3 * 4 and {tile.shape for tile in tiles} == {(photos.TILE, photos.TILE, 3)}
    assert len({tile.tobytes() for tile in tiles}) == len(tiles)


def test_a_large_photograph_is_shrunk_and_gives_tiles_from_everywhere(tmp_path: Path) -> None:
    rows_, columns = np.mgrid[:1800, :3600]
    Pillow.fromarray(np.stack([rows_ // 8, columns // 16, columns * 0], -1).astype(np.uint8)).save(tmp_path / "a.png")
    tiles = [np.asarray(tile) for tile in photos.tiles(tmp_path / "a.png")]
    assert len(tiles) == 18, "three rows of six in 1536 x 768"
    assert tiles[0][0, 0, :2].max() < 6 and tiles[-1][-1, -1, :2].min() > 215


def test_a_run_takes_it_as_it_lies(folder: Path) -> None:
    report = check(folder, {"image": Image(min_size=16), "photo": Identifier(optional=True)}, split_by="photo")
    assert report.ok and not report.problems
