"""Scenes composed of made-up archives: the boxes are where the things are, and the splits share nothing."""

from __future__ import annotations

import gzip
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.sets import fashion_mnist, scenes
from tests.archives import tar_gz

PHOTOS = {"a_by_X": (20, 20, 20), "b_by_Y": (40, 40, 40), "c_by_Z": (20, 40, 60), "d_by_W": (60, 60, 20)}


def clothes() -> dict[str, bytes]:
    """Per class a filled rectangle of its own shape; labels are those of Fashion-MNIST."""
    members = {}
    for prefix in ("train", "t10k"):
        labels = np.arange(40, dtype=np.uint8) % 10
        pixels = np.zeros((40, 28, 28), np.uint8)
        for picture, label in zip(pixels, labels, strict=True):
            picture[4:24, 8 - label // 2 : 20 + label // 2] = 255
        for kind, values in (("images-idx3", pixels), ("labels-idx1", labels)):
            header = struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            name = f"usr/share/datasets/fashion-mnist/{prefix}-{kind}-ubyte.gz"
            members[name] = gzip.compress(header + values.tobytes())
    return members


def photographs() -> dict[str, bytes]:
    members = {}
    for name, colour in PHOTOS.items():
        buffer = io.BytesIO()
        Pillow.new("RGB", (300, 260), colour).save(buffer, "JPEG", quality=95)
        members[f"usr/share/backgrounds/{name}.jpg"] = buffer.getvalue()
    return members


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "SCENES", {"train": 30, "eval": 10})
        archives = [tar_gz(root / "clothes", clothes()), tar_gz(root / "photographs", photographs())]
        scenes.prepare(archives, root / "files", scenes.DATA_SET.sources[0])
    return root / "files"


def rows(folder: Path, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / split / "metadata.jsonl").read_text().splitlines()]


def test_every_scene_has_its_row_and_one_to_six_objects(folder: Path) -> None:
    for split, count in (("train", 30), ("eval", 10)):
        assert [row["file_name"] for row in rows(folder, split)] == sorted(
            path.name for path in (folder / split).glob("*.jpg")
        )
        assert len(rows(folder, split)) == count
        assert all(1 <= len(row["objects"]) <= scenes.MAX_OBJECTS for row in rows(folder, split))


def test_a_box_is_around_what_differs_from_the_photograph(folder: Path) -> None:
    for row in rows(folder, "train"):
        with Pillow.open(folder / "train" / row["file_name"]) as scene:
            pixels = np.asarray(scene).astype(int)
        things = pixels.max(axis=-1) > 130
        covered = np.zeros(things.shape, bool)
        for one in row["objects"]:
            x, y, width, height = one["bbox"]
            assert one["label"] in scenes.CLASSES
            assert x >= 0 and x + width <= scenes.WIDTH and y >= 0 and y + height <= scenes.HEIGHT
            assert things[y : y + height, x : x + width].mean() > 0.4
            covered[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2] = True
        assert not (things & ~covered).any()


def test_a_mask_covers_each_box_with_its_class_as_far_as_nothing_lies_on_it(folder: Path) -> None:
    assert (folder / "classes.txt").read_text().split("\n")[:-1] == ["background", *scenes.CLASSES]
    for row in rows(folder, "train"):
        with Pillow.open(folder / "train" / row["mask_file_name"]) as picture:
            assert picture.mode == "P" and picture.size == (scenes.WIDTH, scenes.HEIGHT)
            mask = np.asarray(picture)
        inside = np.zeros(mask.shape, bool)
        for one in row["objects"]:
            x, y, width, height = one["bbox"]
            inside[y : y + height, x : x + width] = True
        x, y, width, height = row["objects"][-1]["bbox"]
        last = mask[y : y + height, x : x + width]
        assert np.mean(last == 1 + scenes.CLASSES.index(row["objects"][-1]["label"])) > 0.5
        assert not mask[~inside].any()


def test_no_photograph_is_on_both_sides(folder: Path) -> None:
    def colours(split: str) -> set[tuple[int, ...]]:
        found = set()
        for path in (folder / split).glob("*.jpg"):
            with Pillow.open(path) as scene:
                flat = np.asarray(scene).reshape(-1, 3)
            values, counts = np.unique(np.round(flat / 20).astype(int) * 20, axis=0, return_counts=True)
            found.add(tuple(values[counts.argmax()].tolist()))
        return found

    assert colours("eval") == {PHOTOS["a_by_X"]}
    assert colours("train") == {PHOTOS[name] for name in PHOTOS if name != "a_by_X"}


def test_the_same_archives_give_the_same_scenes() -> None:
    things = {name: np.full((2, 28, 28), 200, np.uint8) for name in scenes.CLASSES}
    photo = Pillow.new("RGB", (200, 160), (1, 2, 3))
    once, again = (
        [(scene.tobytes(), mask.tobytes(), objects) for scene, mask, objects in scenes._scenes(3, 0, things, [photo])]
        for _ in range(2)
    )
    assert once == again
    assert fashion_mnist.CLASSES[0] == scenes.CLASSES[0]
