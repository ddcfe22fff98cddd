"""Folders as people and tools leave them: what is read, and what is said where it is not."""

from __future__ import annotations

import io
import json
import os
import unicodedata

import pytest
from PIL import Image as Pillow

from data.columns import Boxes, Image, Label, Text, Timestamp, Window
from data.errors import DataRefused
from data.folders import files, layouts
from data.folders.check import check
from data.folders.folder import DataFolder
from data.folders.layouts import class_folders

PICTURES = {"image": Image(), "label": Label()}
OBJECTS = {"photo": Image(), "things": Boxes()}


def png(shade=0, size=(20, 10)):
    buffer = io.BytesIO()
    Pillow.new("L", size, shade).save(buffer, "PNG")
    return buffer.getvalue()


def write(root, contents):
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def fix_of(root, columns):
    with pytest.raises(DataRefused) as refusal:
        DataFolder(root, columns)
    return refusal.value.fix


def test_every_layout_shows_itself_where_its_columns_fit():
    shown = layouts.example_tree(OBJECTS)
    assert "annotations.json" in shown and "metadata.csv" in shown and "one folder per" not in shown
    assert layouts.example_tree({"text": Text()}).startswith("  train.csv   with the header text")


@pytest.mark.parametrize("above", ["dataset", "my data/v2"])
def test_folders_too_many_above_are_named(tmp_path, above):
    write(tmp_path, {f"{above}/{split}/{name}/1.png": png() for split in ("train", "eval") for name in ("cat", "dog")})
    assert fix_of(tmp_path, PICTURES) == f"Give {tmp_path / above}."
    assert DataFolder(tmp_path / above, PICTURES).splits == ("train", "eval")


def test_a_table_in_a_folder_below_is_named(tmp_path):
    write(tmp_path, {"a/b/train.csv": "text\n", "a/b/eval.csv": "text\n", "notes/x.md": "x"})
    assert fix_of(tmp_path, {"text": Text()}) == f"Give {tmp_path / 'a' / 'b'}."


def test_folders_within_class_folders_are_given_both_ways_out(tmp_path):
    write(tmp_path, {f"{shape}/{size}/1.png": png() for shape in ("circle", "square") for size in ("big", "small")})
    fix = fix_of(tmp_path, PICTURES)
    assert "move the files in its folders up into it" in fix
    assert f"where its folders are the classes, give {tmp_path / 'circle'}." in fix


def test_what_systems_leave_is_no_data(tmp_path):
    left = ["@eaDir/x.png", ".DS_Store", "Thumbs.db", "thumbs.db", "__MACOSX/._1.png", "#recycle/1.png"]
    left += ["lost+found/1", "desktop.ini", "$RECYCLE.BIN/1.png", "System Volume Information/x", "._1.png"]
    write(tmp_path, {f"{name}/{n}.png": png(n) for name in ("cat", "dog") for n in range(10)})
    write(tmp_path, {f"{folder}{name}": "x" for name in left for folder in ("", "cat/")})
    records = list(DataFolder(tmp_path, PICTURES).records("all"))
    assert len(records) == 20
    assert not [record for record in records if record.problem]


def test_names_are_found_in_either_form_of_unicode(tmp_path):
    apart, joined = (unicodedata.normalize(form, "café/é è.png") for form in ("NFD", "NFC"))
    write(tmp_path, {apart: png(1), "metadata.csv": f"file_name,label\n{joined},x\n"})
    (record,) = DataFolder(tmp_path, PICTURES).records("all")
    assert record.features["image"] == png(1)


def test_a_name_in_the_other_form_does_not_lead_out(tmp_path):
    write(tmp_path, {"out/é.png".replace("é", "e\u0301"): png()})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    with pytest.raises(files.BadFile) as refusal:
        files.Inside(tmp_path / "in").read(str(tmp_path / "in"), "link/é.png")
    assert refusal.value.attack


@pytest.mark.parametrize("columns", [PICTURES, {"image": Image()}])
def test_files_of_a_kind_that_is_not_read_are_named(tmp_path, columns):
    contents = {f"{'cat/' if 'label' in columns else ''}{n}.heic": b"x" for n in range(3)}
    assert fix_of(write(tmp_path, contents), columns).startswith("3 files end in .heic; a picture ends in .png")


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".webp", "WEBP"), (".tif", "TIFF"), (".TIFF", "TIFF"), (".jfif", "JPEG"), (".bmp", "BMP"), (".avif", "AVIF")],
)
def test_pictures_of_other_formats_are_read_from_class_folders(tmp_path, suffix, kind):
    buffer = io.BytesIO()
    Pillow.new("RGB", (20, 10), (9, 99, 199)).save(buffer, kind)
    write(tmp_path, {f"{name}/{n}{suffix}": buffer.getvalue() for name in ("cat", "dog") for n in range(3)})
    records = list(DataFolder(tmp_path, PICTURES).records("all"))
    assert len(records) == 6 and not [record for record in records if record.problem]
    assert {record.features["image"][:4] for record in records} <= {b"\x89PNG", b"\xff\xd8\xff\xe0"}


def described(size, box, **more):
    picture = {"id": 1, "file_name": "a.png", "width": size[0], "height": size[1]} | more
    return json.dumps(
        {
            "images": [picture],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": box}],
            "categories": [{"id": 1, "name": "cup"}],
        }
    )


def test_roboflow_s_export_is_read(tmp_path):
    for split in ("train", "valid", "test"):
        document = described((20, 10), [1, 1, 5, 5])
        write(tmp_path, {f"{split}/a.png": png(), f"{split}/_annotations.coco.json": document})
    folder = DataFolder(tmp_path, OBJECTS)
    assert [record.features["things"] for split in folder.splits for record in folder.records(split)] == [
        [1, 1, 5, 5]
    ] * 2
    assert folder.layout.endswith("valid/ is for evaluation; test/ is not used")


def test_boxes_of_the_same_picture_at_another_size_are_scaled_and_that_is_said(tmp_path):
    write(tmp_path, {"a.png": png(size=(101, 50)), "annotations.json": described((1012, 500), [100, 50, 200, 100])})
    folder = DataFolder(tmp_path, OBJECTS)
    (record,) = folder.records("all")
    assert record.features["things"] == pytest.approx([9.98, 5, 19.96, 10], abs=0.01)
    assert set(record.features) <= {name for key, column in OBJECTS.items() for name in column.features(key)}
    assert "Warning: things of 1 record: scaled to the picture" in check(tmp_path, OBJECTS).text()


def test_boxes_of_a_turned_picture_are_those_that_a_viewer_shows(tmp_path):
    exif, buffer = Pillow.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Pillow.new("RGB", (20, 10)).save(buffer, "JPEG", exif=exif.tobytes())
    rows = [{"file_name": "a.jpg", "things": [{"bbox": box, "label": "cup"}]} for box in ([1, 12, 5, 8], [12, 1, 8, 5])]
    columns = {"image": Image(), "things": Boxes()}
    write(tmp_path, {"metadata.jsonl": "\n".join(map(json.dumps, rows)), "a.jpg": buffer.getvalue()})
    upright, lying = DataFolder(tmp_path, columns).records("all")
    assert upright.problem is None and upright.features["things"] == [1, 12, 5, 8]
    assert (upright.features["image_width"], upright.features["image_height"]) == (10, 20)
    assert "out of its picture of 10x20" in lying.problem.reason


@pytest.mark.parametrize(("size", "reason"), [((20, 20), "for a picture of 20x20"), ((10, 20), "sides are exchanged")])
def test_boxes_of_another_picture_make_a_bad_record(tmp_path, size, reason):
    write(tmp_path, {"a.png": png(), "annotations.json": described(size, [1, 1, 5, 5])})
    folder = DataFolder(tmp_path, OBJECTS)
    (record,) = folder.records("all")
    assert reason in record.problem.reason
    assert not folder.remarks


def test_texts_of_blanks_only_are_bad_records(tmp_path):
    unseen = ["  ", "\t", "\u200b", "\u00a0\u2003", "\x00\x01", "\ufeff", "\u3164", "\u2800"]
    rows = [{"text": text} for text in [*unseen, "a", " ! ", "é"]]
    write(tmp_path, {"t.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    records = list(DataFolder(tmp_path, {"text": Text()}).records("all"))
    assert [record.row for record in records if record.problem] == list(range(1, len(unseen) + 1))


def test_windows_are_cut_from_media_rows_in_the_order_of_their_table(tmp_path):
    columns = {"photo": Image(), "time": Timestamp(), "level": Window(steps=2)}
    for split, start in (("train", 0), ("eval", 100)):
        rows = [f"{n}.png,{1_600_000_000 + 60 * (start + n)},{n}" for n in range(30)]
        write(tmp_path, {f"{split}/metadata.csv": "\n".join(["file_name,time,level", *rows]) + "\n"})
        write(tmp_path, {f"{split}/{n}.png": png(n) for n in range(30)})
    records = list(DataFolder(tmp_path, columns).records("train"))
    assert [record.features["level"] for record in records] == [[n, n + 1] for n in range(29)]
    assert [record.features["photo"] for record in records] == [png(n + 1) for n in range(29)]


def test_a_folder_is_listed_once_for_all_shards(tmp_path, monkeypatch):
    write(tmp_path, {f"{name}/{n}.png": png(n) for name in ("cat", "dog") for n in range(5)})
    listed = []
    monkeypatch.setattr(class_folders, "visible", lambda path: listed.append(path) or files.visible(path))
    folder = DataFolder(tmp_path, PICTURES)
    read = [record.file for shard in range(4) for record in folder.records("all", shard, 4)]
    assert len(read) == 10
    assert sorted(listed) == [os.fspath(tmp_path / name) for name in ("cat", "dog")]
