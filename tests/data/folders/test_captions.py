"""Captions of pictures: COCO's captions files, and tables with a row for each caption."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from data.columns import Image, Label, Texts
from data.errors import DataRefused
from data.folders.check import check
from data.folders.folder import DataFolder, Record

COLUMNS = {
    "image": Image(),
    "captions": Texts(max_characters=30),
    "group": Label(optional=True, open=True),
}
COCO: dict[str, Any] = {
    "info": {"year": 2014},
    "images": [{"id": 3, "file_name": "b.png"}, {"id": 1, "file_name": "a.png"}],
    "annotations": [
        {"id": 1, "image_id": 1, "caption": "a cat"},
        {"id": 2, "image_id": 3, "caption": "赤いバス"},
        {"id": 3, "image_id": 1, "caption": 'a "black" cat\n'},
    ],
}


def pictures(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(names or ("a.png", "b.png", "c.png")):
        buffer = io.BytesIO()
        Pillow.new("RGB", (9, 7), (shade, 0, 90)).save(buffer, "PNG")
        (folder / name).write_bytes(buffer.getvalue())
    return folder


def read(folder: Path, split: str = "all") -> list[Record]:
    return list(DataFolder(folder, COLUMNS).records(split))


def captions(records: list[Record]) -> list[list[str]]:
    return sorted(json.loads(record.features["captions"]) for record in records if record.features)  # type: ignore[arg-type]


def told(records: list[Record]) -> dict[str, str]:
    return {record.file.partition(", ")[2]: record.problem.reason for record in records if record.problem}


def with_coco(folder: Path, **changed: Any) -> Path:
    pictures(folder)
    (folder / "annotations.json").write_text(json.dumps(COCO | changed), encoding="utf-8")
    return folder


def with_table(folder: Path, text: str) -> Path:
    pictures(folder)
    (folder / "metadata.csv").write_text(text, encoding="utf-8")
    return folder


# --- COCO ---


def test_a_picture_has_all_captions_that_name_it(tmp_path: Path) -> None:
    records = read(with_coco(tmp_path))
    assert captions(records) == [["a cat", 'a "black" cat\n'], ["赤いバス"]]
    assert [record.file for record in records] == [f"annotations.json, image {n}" for n in (3, 1)]


def test_a_folder_laid_out_as_cocos_own(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for split in ("train2017", "val2017"):
        pictures(tmp_path / split)
        (tmp_path / f"annotations/captions_{split}.json").write_text(json.dumps(COCO))
        (tmp_path / f"annotations/instances_{split}.json").write_text("{}")
    assert len(captions(read(tmp_path, "train"))) == len(captions(read(tmp_path, "eval"))) == 2
    (tmp_path / "annotations/captions_val2017.json").unlink()
    with pytest.raises(DataRefused, match=r"holds no captions file for eval\n.*captions_train"):
        read(tmp_path)


@pytest.mark.parametrize("caption", ["", " \n", None, 7])
def test_a_caption_that_is_missing_or_blank_is_named(tmp_path: Path, caption: Any) -> None:
    annotations = [*COCO["annotations"], {"image_id": 3, "caption": caption}]
    records = read(with_coco(tmp_path, annotations=annotations))
    assert told(records) == {"image 3": f"annotations[3]: expected a caption, a text, got {json.dumps(caption)}"}
    assert captions(records) == [["a cat", 'a "black" cat\n']]


def test_pictures_without_captions_and_captions_without_pictures_are_named(tmp_path: Path) -> None:
    images = [*COCO["images"], {"id": 8, "file_name": "c.png"}]
    annotations = [*COCO["annotations"], {"image_id": 9, "caption": "a ghost"}, {"caption": "of nothing"}]
    assert told(read(with_coco(tmp_path, images=images, annotations=annotations))) == {
        "image 8": "no caption: no annotation names it",
        "image 9": "annotations name it, and images lacks it",
        "annotations[4]": "expected an object with an image_id",
    }


def test_a_caption_that_is_too_long_is_named_and_not_cut(tmp_path: Path) -> None:
    annotations = [*COCO["annotations"], {"image_id": 3, "caption": "x" * 31}]
    assert told(read(with_coco(tmp_path, annotations=annotations))) == {
        "image 3": "text 2: 31 characters; must be 1 to 30"
    }


@pytest.mark.parametrize(
    ("document", "reason"), [("{", "not valid JSON"), ("[]", "expected a JSON object"), ("{}", "lacks the array")]
)
def test_what_is_no_captions_file_is_refused(tmp_path: Path, document: str, reason: str) -> None:
    pictures(tmp_path)
    (tmp_path / "annotations.json").write_text(document)
    with pytest.raises(DataRefused, match=f"is no COCO captions file: .*{reason}"):
        read(tmp_path)


# --- tables ---


def test_a_table_holds_lists(tmp_path: Path) -> None:
    text = 'file_name,captions,group\na.png,"[""a cat"", ""a black cat""]",pets\nb.png,a bus,\n'
    assert captions(read(with_table(tmp_path, text))) == [["a bus"], ["a cat", "a black cat"]]


def test_or_a_row_for_each_caption(tmp_path: Path) -> None:
    text = "file_name,caption,group\na.png,a cat,pets\nb.png,a bus,cars\na.png,a black cat,pets\n"
    records = read(with_table(tmp_path, text))
    assert captions(records) == [["a bus"], ["a cat", "a black cat"]]
    assert {record.features["group"] for record in records if record.features} == {b"pets", b"cars"}
    assert "a row for each caption" in DataFolder(tmp_path, COLUMNS).layout


def test_each_picture_of_such_a_table_is_in_one_shard(tmp_path: Path) -> None:
    folder = DataFolder(with_table(tmp_path, "file_name,caption\na.png,1\nb.png,2\na.png,3\nc.png,4\n"), COLUMNS)
    shards = [captions(list(folder.records("all", shard, 2))) for shard in range(2)]
    assert sorted(shards[0] + shards[1]) == [["1", "3"], ["2"], ["4"]]


def test_a_row_without_its_caption_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    records = read(with_table(tmp_path, "file_name,caption\na.png,a cat\na.png,\nb.png,  \n,a bus\n"))
    assert captions(records) == [["a cat"]]
    problems = {record.row: record.problem.reason for record in records if record.problem}
    assert problems.keys() == {2, 3, 4} or problems.keys() == {3, 4, 5}
    reasons = [problems[row] for row in sorted(problems)]
    assert reasons[:2] == [f"no caption of {name}; its other rows are read" for name in ("a.png", "b.png")]


def test_a_check_says_what_is_bad(tmp_path: Path) -> None:
    report = check(with_table(tmp_path, "file_name,caption\na.png,a cat\nb.png,a bus\nmissing.png,a ghost\n"), COLUMNS)
    assert any("missing.png" in str(problem) for problem in report.problems)
