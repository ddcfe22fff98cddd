"""COCO's instances files: what is read of them, and what is told where they are broken."""

from __future__ import annotations

import copy
import io
import json
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from data.columns import Boxes, Image, Label, Mask
from data.errors import DataRefused
from data.folders import coco
from data.folders.check import check
from data.folders.folder import DataFolder, Record

COLUMNS = {"photo": Image(), "things": Boxes()}
CATS = {
    "info": {"year": 2017, "contributor": ["any", {"one": None}]},
    "licenses": [{"id": 1}, 3.5, "x"],
    "images": [
        {"id": 30, "file_name": "b.png", "width": 20, "height": 10},
        {"id": 10, "file_name": "sub/a.png"},
        {"id": 20, "file_name": "empty.png"},
    ],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 7, "bbox": [1, 2, 3.5, 4], "segmentation": [[1, 2, 3]], "iscrowd": 0},
        {"id": 2, "image_id": 30, "category_id": 9, "bbox": [0, 0, 20, 10]},
        {"id": 3, "image_id": 10, "category_id": 9, "bbox": [5, 5, 1, 1]},
        {"id": 4, "image_id": 30, "category_id": 7, "bbox": [0, 0, 99, 99], "iscrowd": 1},
    ],
    "categories": [{"id": 9, "name": "dog"}, {"id": 7, "name": "gato montés"}],
}


def png(shade: int) -> bytes:
    buffer = io.BytesIO()
    Pillow.new("L", (20, 10), shade).save(buffer, "PNG")
    return buffer.getvalue()


def write(folder: Path, document: Any = CATS, name: str = "annotations.json", shade: int = 0) -> Path:
    """A folder with the pictures of CATS, and what a file says of them."""
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(("b.png", "sub/a.png", "empty.png")):
        (folder / file).write_bytes(png(shade + number))
    if name:
        (folder / name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return folder


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    document = copy.deepcopy(CATS)
    change(document)
    return document


def read(folder: Path, split: str = "all") -> list[Record]:
    return list(DataFolder(folder, COLUMNS).records(split))


def told(records: Iterable[Record]) -> dict[str, str]:
    return {record.file.partition(", ")[2]: record.problem.reason for record in records if record.problem}


def test_pictures_come_in_file_order_with_their_objects(tmp_path: Path) -> None:
    records = read(write(tmp_path))
    assert [record.file for record in records] == [f"annotations.json, image {n}" for n in (30, 10, 20)]
    features = [record.features or {} for record in records]
    assert [one["photo"] for one in features] == [png(0), png(1), png(2)]
    assert [one["things"] for one in features] == [[0, 0, 20, 10], [1, 2, 3.5, 4, 5, 5, 1, 1], []]
    assert [one["things_label"] for one in features] == [[b"dog"], ["gato montés".encode(), b"dog"], []]
    assert [one["things_count"] for one in features] == [1, 2, 0]


@pytest.mark.parametrize("chunk", [1, 7, 10**6])
@pytest.mark.parametrize("style", [{}, {"indent": 3}, {"ensure_ascii": False, "separators": (",", ":")}])
def test_any_way_of_writing_the_json_reads_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, style: dict[str, Any]
) -> None:
    monkeypatch.setattr(coco, "_CHUNK_CHARACTERS", chunk)
    backwards = dict(reversed(CATS.items()))
    write(tmp_path, "\ufeff" + json.dumps(backwards, **style) + "\n \n")
    assert [r.features["things_count"] for r in read(tmp_path) if r.features] == [1, 2, 0]


def test_split_folders_and_shards(tmp_path: Path) -> None:
    for shade, split in enumerate(("train", "eval")):
        write(tmp_path / split, shade=100 * shade)
    folder = DataFolder(tmp_path, COLUMNS)
    assert folder.splits == ("train", "eval")
    assert folder.layout == (
        "train: COCO's train/annotations.json and the files it names; "
        "eval: COCO's eval/annotations.json and the files it names"
    )
    shards = [[record.file[-2:] for record in folder.records("eval", n, 2)] for n in range(2)]
    assert shards == [["30"], ["10", "20"]]


@pytest.mark.parametrize(
    ("year", "evaluation", "under"), [("2017", "val", ""), ("", "val", "images/"), ("", "eval", "")]
)
def test_a_folder_laid_out_as_cocos_own(tmp_path: Path, year: str, evaluation: str, under: str) -> None:
    (tmp_path / "annotations").mkdir()
    for split in ("train", evaluation):
        write(tmp_path / under / f"{split}{year}", name="")
        (tmp_path / f"annotations/instances_{split}{year}.json").write_text(json.dumps(CATS))
        (tmp_path / f"annotations/captions_{split}{year}.json").write_text("{}")
    assert [record.problem for record in read(tmp_path, "train") + read(tmp_path, "eval")] == [None] * 6


def test_half_of_cocos_own_layout_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "annotations", name="instances_val.json")
    with pytest.raises(DataRefused, match=r"holds no instances file for train\n.*instances_train"):
        DataFolder(tmp_path, COLUMNS)
    (tmp_path / "annotations/instances_train2017.json").write_text(json.dumps(CATS))
    with pytest.raises(DataRefused, match="lacks the folder train2017/"):
        DataFolder(tmp_path, COLUMNS)


def test_a_task_without_boxes_does_not_read_it(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="no metadata.jsonl"):
        DataFolder(write(tmp_path), COLUMNS | {"mood": Label()})


def test_one_description_is_enough(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,things\n")
    with pytest.raises(DataRefused, match="both metadata.csv and annotations.json"):
        DataFolder(tmp_path, COLUMNS)


# --- broken files ---


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "expected a JSON object"),
        ("[]", "expected a JSON object"),
        ("{}", "it lacks the array annotations, categories, images"),
        (json.dumps(CATS, ensure_ascii=False)[:-1], r"not valid JSON: Expecting ',' or '}' \(character \d{3}\)"),
        (json.dumps(CATS)[:-5], r"not valid JSON: .* \(character \d{3}\)"),
        (json.dumps(CATS) + "]", r"Extra data \(character"),
        ('{"images": [1 2]}', r"Expecting ',' or ']' \(character 15\)"),
        ('{"images": [' + "[" * 100_000, "recursion"),
        (json.dumps(CATS | {"categories": {"7": "cat"}}), "it lacks the array categories"),
        (json.dumps(CATS | {"categories": [{"id": 7}]}), r"categories\[0\]: expected an object with an id and a name"),
        (json.dumps(CATS | {"categories": [{"id": 7, "name": "x"}] * 2}), r"categories\[1\]: the id 7 again"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_refused(tmp_path: Path, document: str, reason: str) -> None:
    with pytest.raises(DataRefused, match=reason) as refusal:
        DataFolder(write(tmp_path, document), COLUMNS)
    assert str(tmp_path / "annotations.json") in refusal.value.message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (write(tmp_path) / "annotations.json").write_bytes(b'{"images": "\xff"}')
    with pytest.raises(DataRefused, match="utf-8"):
        DataFolder(tmp_path, COLUMNS)


def test_an_endless_value_is_refused_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coco, "MAX_ELEMENT_CHARACTERS", 1000)
    monkeypatch.setattr(coco, "_CHUNK_CHARACTERS", 100)
    write(tmp_path, '{"images": ["' + "x" * 100_000)
    with pytest.raises(DataRefused, match="a value of more than 1000 characters"):
        DataFolder(tmp_path, COLUMNS)


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (lambda d: d["images"][0].update(file_name="gone.png"), "image 30", "'gone.png': there is no such file"),
        (lambda d: d["images"][0].pop("file_name"), "image 30", "no value"),
        (lambda d: d["images"][0].update(file_name=["x"]), "image 30", "['x']: expected the name of a file"),
        (lambda d: d["images"].append({"id": 10, "file_name": "b.png"}), "images[3]", "the id 10 again"),
        (lambda d: d["images"].append("b.png"), "images[3]", "expected an object with an id and a file_name"),
        (lambda d: d["images"].append({"file_name": "b.png"}), "images[3]", "expected an object with an id"),
        (lambda d: d["images"].pop(), "", ""),
        (lambda d: d["images"].pop(0), "image 30", "annotations name it, and images lacks it"),
        (lambda d: d["annotations"].append(None), "annotations[4]", "expected an object with an image_id"),
        (lambda d: d["categories"].pop(0), "image 10", "an object of category 9, which categories lacks"),
        (lambda d: d["annotations"][0].pop("category_id"), "image 10", "annotations[0] has no category_id"),
        (
            lambda d: d["annotations"][0].pop("bbox"),
            "image 10",
            "annotations[0]: expected [x, y, width, height], got nul",
        ),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, 3]), "image 10", "got [1, 2, 3]"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, 3, float("nan")]), "image 10", "got [1, 2, 3, NaN]"),
        (lambda d: d["annotations"][0].update(bbox=[1, 2, 3, True]), "image 10", "got [1, 2, 3, true]"),
        (
            lambda d: d["annotations"][0].update(bbox=[1, 2, 3, 0]),
            "image 10",
            "box 1: expected [x, y, width, height], fin",
        ),
        (
            lambda d: d["annotations"][2].update(bbox=[8, 5, 15, 2]),
            "image 10",
            "box 2 of [8, 5, 15, 2] reaches 3 pixels",
        ),
        (lambda d: d["annotations"][3].update(category_id=1, bbox=None), "", ""),
    ],
)
def test_a_record_at_fault_is_told_with_its_image(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], place: str, reason: str
) -> None:
    found = told(read(write(tmp_path, changed(change))))
    if place:
        assert reason in found[place]
    assert "image 20" not in found
    assert (not found) == (not place)


def test_a_file_name_that_leaves_the_folder_is_an_attack(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(9))
    document = changed(lambda d: d["images"][1].update(file_name="../secret.png"))
    attacks = [r for r in read(write(tmp_path / "root", document)) if r.problem and r.problem.attack]
    assert [(r.file, r.features) for r in attacks] == [("annotations.json, image 10", None)]


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text(json.dumps(CATS))
    (write(tmp_path / "root", name="") / "annotations.json").symlink_to(tmp_path / "annotations.json")
    with pytest.raises(DataRefused, match="leads out of"):
        DataFolder(tmp_path / "root", COLUMNS)


# --- the check, and memory ---


def test_the_check_counts_objects_and_groups_faults(tmp_path: Path) -> None:
    bad = changed(lambda d: [d["annotations"][n].update(bbox=[18.5, 2, 7 + n, 3]) for n in (0, 1)])
    write(tmp_path / "train", bad)
    write(tmp_path / "eval", shade=100)
    report = check(tmp_path, COLUMNS)
    assert report.splits["eval"].classes == {"things": {"dog": 2, "gato montés": 1}}
    assert "train/annotations.json, image 30: box 1 of [18.5, 2, 8, 3] reaches 6.5 pixels" in report.text()
    [group] = report.problems
    assert (group.count, group.fix) == (2, "Write a list of boxes that fits there, or remove the record.")
    assert "column things: eval has classes that train lacks: dog, gato montés" in report.refusals


def test_memory_does_not_grow_with_what_is_not_read(tmp_path: Path) -> None:
    outlined = [one | {"segmentation": [[0.5] * 20_000]} for one in CATS["annotations"] * 50]
    write(tmp_path, CATS | {"annotations": outlined})
    tracemalloc.start()
    count = sum(r.features["things_count"] for r in read(tmp_path) if r.features)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 150
    assert (tmp_path / "annotations.json").stat().st_size > 19 * 2**20
    assert peak < 5 * 2**20


# --- outlines ---

MASKED = {"photo": Image(), "mask": Mask(of="photo")}


def outlined() -> dict[str, Any]:
    document = copy.deepcopy(CATS)
    polygon = [[0, 0, 10, 0, 10, 10, 0, 10]]
    for image in document["images"]:
        image |= {"width": 20, "height": 10}
    for one in document["annotations"]:
        one["segmentation"] = polygon
    return document


def test_masks_are_drawn_of_outlines_and_a_crowd_is_void(tmp_path: Path) -> None:
    for split in ("train", "eval"):
        write(tmp_path / split, outlined())
    found = {r.file: r for r in DataFolder(tmp_path, MASKED).records("train")}
    both = found["train/annotations.json, image 10"].features
    assert both and both["mask_numbers"] == [0, 7] or both and both["mask_numbers"] == [0, 9]
    crowded = found["train/annotations.json, image 30"].features
    assert crowded and crowded["mask_classes"] == [b"background", b"dog"]
    empty = found["train/annotations.json, image 20"].features
    assert empty and empty["mask_classes"] == [b"background"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d["annotations"][0].update(segmentation="x"), "expected polygons or run lengths, got"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3]]), "object 1: expected"),
        (lambda d: d["annotations"][0].pop("category_id"), "has no category_id"),
        (lambda d: d["images"][1].pop("width"), "lacks width and height"),
        (lambda d: d["images"][1].update(width=40), "a mask of 40x10 pixels for a picture of 20x10"),
    ],
)
def test_an_outline_that_is_none_is_a_bad_record(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], word: str
) -> None:
    document = outlined()
    change(document)
    for split in ("train", "eval"):
        write(tmp_path / split, document)
    bad = {r.file: r.problem for r in DataFolder(tmp_path, MASKED).records("train") if r.problem}
    assert list(bad) == ["train/annotations.json, image 10"]
    [problem] = bad.values()
    assert word in problem.reason and "Outlines(" not in problem.reason


def test_classes_have_the_ids_of_their_categories_or_their_places(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(outlined()), encoding="utf-8")
    assert coco.Instances(path, outlined=True).class_names == {0: "background", 7: "gato montés", 9: "dog"}
    document = outlined()
    document["categories"][0]["id"] = 0
    document["annotations"] = []
    path.write_text(json.dumps(document), encoding="utf-8")
    assert coco.Instances(path, outlined=True).class_names == {0: "background", 1: "dog", 2: "gato montés"}


def test_a_number_means_the_same_in_both_splits(tmp_path: Path) -> None:
    document = outlined()
    write(tmp_path / "train", document)
    document["categories"][0]["name"] = "wolf"
    write(tmp_path / "eval", document)
    with pytest.raises(DataRefused, match="class 9 is 'dog' in train and 'wolf' in eval"):
        DataFolder(tmp_path, MASKED)
    assert DataFolder(tmp_path, COLUMNS).splits == ("train", "eval"), "boxes go by names"
