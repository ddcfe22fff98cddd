"""A user's folder in each layout, whole and broken: what is read, what is told, what is never opened."""

import csv
import io
import json
import os
import pickle
import tracemalloc
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from data.columns import Audio, Boxes, Image, Integer, Label, Number, Seed, Text, Timestamp, Window
from data.errors import DataRefused, WrongUse
from data.folders import folder as folder_module
from data.folders.folder import DataFolder, content_digest

PICTURES = {"image": Image(), "label": Label()}
REVIEWS = {"text": Text(), "stars": Integer(minimum=1, maximum=5)}


def png(shade=0):
    buffer = io.BytesIO()
    Pillow.new("L", (4, 3), shade % 256).save(buffer, "PNG")
    return buffer.getvalue() if shade < 256 else buffer.getvalue() + str(shade).encode()


def jpeg():
    buffer = io.BytesIO()
    Pillow.linear_gradient("L").save(buffer, "JPEG")
    return buffer.getvalue()


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def classes(prefix="", count=4):
    return {f"{prefix}{label}/{n}.png": png(n) for label in ("cat", "dog") for n in range(count)}


def split_classes(root):
    return write(
        root, classes("train/") | {f"eval/{label}/{n}.png": png(n) for label in ("cat", "dog") for n in (8, 9)}
    )


def rows_in(root, content, columns=REVIEWS, name="train.csv"):
    ending = name.partition(".")[2]
    other = {"csv": "text,stars\nfine,3\n", "jsonl": '{"text": "fine", "stars": 3}\n'}[ending]
    write(root, {name: content, f"eval.{ending}": other})
    return list(DataFolder(root, columns).records("train"))


def told(records):
    return {(record.row, record.problem.column): record.problem.reason for record in records if record.problem}


def texts(records):
    return [record.features["text"].decode() for record in records if record.features]


# --- layouts ---


def test_class_folders(tmp_path):
    folder = DataFolder(split_classes(tmp_path), PICTURES)
    records = list(folder.records("train"))
    assert folder.splits == ("train", "eval")
    assert folder.layout == "class-named subfolders"
    assert Counter(record.features["label"] for record in records) == {b"cat": 4, b"dog": 4}
    assert {record.file for record in records} == {f"train/{name}" for name in classes()}
    assert all(record.split == "train" and record.row is None and record.problem is None for record in records)
    assert records[0].features["image"] == (tmp_path / records[0].file).read_bytes()
    assert records[0].features["image_width"] == 4


def test_class_folders_come_shuffled_and_always_in_the_same_order(tmp_path):
    one = [record.file for record in DataFolder(write(tmp_path / "a", classes(count=20)), PICTURES).records("all")]
    two = [record.file for record in DataFolder(write(tmp_path / "b", classes(count=20)), PICTURES).records("all")]
    assert one == two
    assert one != sorted(one)
    assert len({file.split("/")[0] for file in one[:10]}) == 2


@pytest.mark.parametrize("kind", ["metadata.csv", "metadata.jsonl"])
def test_metadata_points_to_files_beside_it(tmp_path, kind):
    header, row = "file_name,label,other\n", "deep/er/{0}.png,cat,x\n"
    if kind == "metadata.jsonl":
        header, row = "", '{{"file_name": "deep/er/{0}.png", "label": "cat"}}\n'
    for split in ("train", "eval"):
        write(tmp_path, {f"{split}/{kind}": header + "".join(row.format(n) for n in range(3))})
        write(tmp_path, {f"{split}/deep/er/{n}.png": png(n) for n in range(3)})
    folder = DataFolder(tmp_path, PICTURES)
    records = list(folder.records("train"))
    first = 2 if kind == "metadata.csv" else 1
    assert {(record.file, record.row) for record in records} == {(f"train/{kind}", first + n) for n in range(3)}
    assert {record.features["image"] for record in records} == {png(n) for n in range(3)}
    assert kind in folder.layout
    assert "not used as classes" in folder.layout


PLAIN = {"image": Image(), "label": Label(optional=True), "seed": Seed()}


def test_pictures_without_classes_or_table(tmp_path):
    files = {f"{split}/{n}.png": png(n + 100 * (split == "eval")) for split in ("train", "eval") for n in range(20)}
    folder = DataFolder(write(tmp_path, files | {"train/README.md": "x"}), PLAIN)
    records = list(folder.records("train"))
    assert folder.layout == "pictures without classes or table"
    assert {record.file for record in records} == {name for name in files if name.startswith("train/")}
    assert [record.file for record in records] != sorted(record.file for record in records)
    assert all("label" not in record.features and "seed" in record.features for record in records)
    shards = [record.file for n in range(3) for record in folder.records("train", n, 3)]
    assert sorted(shards) == sorted(record.file for record in records)


def test_an_unsplit_plain_folder_tells_what_is_no_picture(tmp_path):
    write(tmp_path, {"a.png": png(), "b.png": b"", "c.heic": "x"})
    (tmp_path / "out.png").symlink_to("/etc/hostname")
    problems = {r.file: r.problem for r in DataFolder(tmp_path, {"image": Image()}).records("all") if r.problem}
    assert {file: problem.reason.partition(" .")[0] for file, problem in problems.items()} == {
        "b.png": "the file is empty",
        "c.heic": "the name does not end in",
        "out.png": "a link leads out of the data folder",
    }
    assert [file for file, problem in problems.items() if problem.attack] == ["out.png"]


def test_class_folders_of_a_task_that_needs_no_classes_are_classes(tmp_path):
    records = DataFolder(split_classes(tmp_path), PLAIN).records("eval")
    assert {record.features["label"] for record in records} == {b"cat", b"dog"}


def test_a_plain_folder_without_what_the_task_reads_is_refused_with_all_forms(tmp_path):
    with pytest.raises(DataRefused, match="no sounds; it holds a.png") as refusal:
        DataFolder(write(tmp_path, {"a.png": png()}), {"sound": Audio(), "seed": Seed()})
    assert "train/1.wav   sounds, without a table" in refusal.value.fix
    with pytest.raises(DataRefused) as refusal:
        DataFolder(write(tmp_path / "b", {"notes.txt": "x"}), {"image": Image(), "objects": Boxes()})
    assert "train/annotations.json   COCO's instances form" in refusal.value.fix
    assert "without a table" not in refusal.value.fix


def test_a_box_out_of_its_picture_is_told_with_file_and_row(tmp_path):
    rows = [[0, 0, 4, 3], [-0.5, 0, 2, 3.5], [2, 1, 60, 1]]  # pictures are 4x3
    lines = [json.dumps({"file_name": "a.png", "objects": [{"bbox": box, "label": "x"}]}) for box in rows]
    write(tmp_path, {"metadata.jsonl": "\n".join(lines), "a.png": png()})
    records = list(DataFolder(tmp_path, {"image": Image(), "objects": Boxes()}).records("all"))
    assert {r.row: r.features["objects"] for r in records if r.features} == {1: [0, 0, 4, 3], 2: [0, 0, 1.5, 3]}
    assert told(records) == {(3, "objects"): "box 1 of [2, 1, 60, 1] reaches 58 pixels out of its picture of 4x3"}


def test_further_media_columns_have_their_own_file_name(tmp_path):
    write(tmp_path, {"metadata.csv": "file_name,after_file_name\na.png,b.png\n", "a.png": png(1), "b.png": png(2)})
    (record,) = DataFolder(tmp_path, {"before": Image(), "after": Image()}).records("all")
    assert (record.features["before"], record.features["after"]) == (png(1), png(2))


def test_rows_of_csv_jsonl_and_parquet_stream_in_file_order(tmp_path):
    write(tmp_path, {"train/a.csv": "stars,text\n1,one\n2,two\n", "train/b.jsonl": '{"text": "three", "stars": 3}\n'})
    pq.write_table(pa.table({"text": ["four", None], "stars": [4, 5]}), tmp_path / "train/c.parquet")
    write(tmp_path, {"eval/a.csv": "text,stars\nfive,5\n"})
    folder = DataFolder(tmp_path, REVIEWS)
    records = list(folder.records("train"))
    assert texts(records) == ["one", "two", "three", "four"]
    assert [(record.file, record.row) for record in records][1:4] == [
        ("train/a.csv", 3),
        ("train/b.jsonl", 1),
        ("train/c.parquet", 1),
    ]
    assert told(records) == {(2, "text"): "no value"}
    assert folder.layout == "train: CSV and JSONL and Parquet rows; eval: CSV rows"


def test_tables_named_after_their_split_at_the_root(tmp_path):
    write(tmp_path, {"train.csv": "text,stars\na,1\n", "eval.jsonl": '{"text": "b", "stars": 2}\n', "README.md": "x"})
    folder = DataFolder(tmp_path, REVIEWS)
    assert texts(folder.records("train")) == ["a"]
    assert texts(folder.records("eval")) == ["b"]


def test_optional_columns_may_lack(tmp_path):
    columns = REVIEWS | {"note": Text(optional=True)}
    (one, two) = rows_in(tmp_path, "text,stars,note\na,1,\nb,2,yes\n", columns)
    assert "note" not in one.features
    assert two.features["note"] == b"yes"
    assert next(DataFolder(tmp_path, columns).records("eval")).problem is None


def test_hidden_files_are_no_data(tmp_path):
    write(
        split_classes(tmp_path),
        {"train/.DS_Store": "x", "train/cat/Thumbs.db": "x", ".git/config": "x", "train/__MACOSX/cat/1.png": "x"},
    )
    assert all(record.problem is None for record in DataFolder(tmp_path, PICTURES).records("train"))


def test_a_folder_survives_pickling(tmp_path):
    folder = pickle.loads(pickle.dumps(DataFolder(split_classes(tmp_path), PICTURES)))
    assert len(list(folder.records("train"))) == 8


# --- refused layouts ---


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "dev", "test", "Testing"])
def test_another_name_for_eval_is_read_and_said(tmp_path, name):
    folder = DataFolder(write(tmp_path, classes("Train/") | classes(f"{name}/")), PICTURES)
    assert folder.splits == ("train", "eval")
    assert folder.layout == f"class-named subfolders; {name}/ is for evaluation"
    assert {record.file.split("/")[0] for record in folder.records("eval")} == {name}


def test_a_test_split_beside_another_is_not_used_and_that_is_said(tmp_path):
    files = {f"{split}.csv": f"text,stars\n{split},1\n" for split in ("train", "validation", "test")}
    folder = DataFolder(write(tmp_path, files), REVIEWS)
    assert folder.layout == "CSV rows; validation.csv is for evaluation; test.csv is not used"
    assert texts([*folder.records("train"), *folder.records("eval")]) == ["train", "validation"]


def test_two_splits_for_evaluation_are_refused(tmp_path):
    with pytest.raises(DataRefused, match="both dev/ and val/ for eval"):
        DataFolder(write(tmp_path, classes("train/") | classes("val/") | classes("dev/")), PICTURES)


def test_the_numbered_files_of_a_split_belong_together(tmp_path):
    """Parquet as Hugging Face's `datasets` writes it."""
    names = ["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001", "test-00000-of-00001"]
    for name in names:
        pq.write_table(pa.table({"text": [name], "stars": [1]}), tmp_path / f"{name}.parquet")
    folder = DataFolder(tmp_path, REVIEWS)
    assert texts(folder.records("train")) == names[:2]
    assert texts(folder.records("eval")) == names[2:3]
    assert folder.layout.endswith("test-00000-of-00001.parquet is not used")


def test_a_class_may_be_called_test(tmp_path):
    folder = DataFolder(write(tmp_path, classes() | {"test/1.png": png(9)}), PICTURES)
    assert folder.splits == ("all",)


def test_a_lone_train_is_told_what_to_do(tmp_path):
    with pytest.raises(DataRefused, match="Add eval, or move what train holds up"):
        DataFolder(write(tmp_path, classes("train/")), PICTURES)


def test_the_refusal_shows_what_was_found_and_a_tree_for_just_these_columns(tmp_path):
    with pytest.raises(DataRefused) as refusal:
        DataFolder(
            write(tmp_path, {"notes.txt": "x", "pictures.zip": "x"}),
            {"image": Image(), "species": Label(classes=("ant", "bee"))},
        )
    assert "notes.txt, pictures.zip" in refusal.value.message
    assert "train/ant/1.png   one folder per species" in refusal.value.fix
    assert "file_name,species" in refusal.value.fix
    with pytest.raises(DataRefused, match="header text,stars"):
        DataFolder(tmp_path, REVIEWS)


@pytest.mark.parametrize(
    "columns", [{"image": Image(), "score": Number()}, {"a": Image(), "b": Image(), "label": Label()}]
)
def test_class_folders_do_not_serve_other_columns(tmp_path, columns):
    with pytest.raises(DataRefused, match="no metadata.jsonl or metadata.csv"):
        DataFolder(split_classes(tmp_path), columns)


def test_folders_too_deep(tmp_path):
    with pytest.raises(DataRefused, match="train/cat holds a folder, tabby/"):
        DataFolder(write(split_classes(tmp_path), {"train/cat/tabby/1.png": png()}), PICTURES)


def test_two_metadata_files(tmp_path):
    with pytest.raises(DataRefused, match="both metadata.jsonl and metadata.csv"):
        DataFolder(write(tmp_path, {"metadata.csv": "file_name,label\n", "metadata.jsonl": "{}"}), PICTURES)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(WrongUse, match="is no folder"):
        DataFolder(tmp_path / "nowhere", PICTURES)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("txet,stars\na,1\n", "lacks the column text; it has txet, stars\n  -> Rename 'txet' to 'text'"),
        ("Text,stars\na,1\n", "Rename 'Text' to 'text'"),
        ("text,stars,text\na,1,b\n", "more than one column is called text"),
        ("text;stars\na;1\n", "separated by ';'"),
        ("", "the table is empty"),
        ("text,stars\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_at_all(tmp_path, content, reason):
    with pytest.raises(DataRefused) as refusal:
        rows_in(tmp_path, content)
    assert reason in str(refusal.value)


def test_a_jsonl_that_lacks_a_column_and_one_that_is_no_jsonl(tmp_path):
    with pytest.raises(DataRefused, match="lacks the column stars; it has text"):
        rows_in(tmp_path, '{"text": "a"}\n{"text": "b"}\n', name="train.jsonl")
    with pytest.raises(DataRefused, match="none of its first lines"):
        rows_in(tmp_path, '[\n{"text": "a"},\n', name="train.jsonl")


def test_a_parquet_that_is_none(tmp_path):
    with pytest.raises(DataRefused, match="no readable Parquet file"):
        DataFolder(write(tmp_path, {"a.parquet": "PAR1 not so"}), REVIEWS)


# --- bad records ---


def test_bad_pictures_are_told_and_the_rest_is_read(tmp_path):
    split_classes(tmp_path)
    write(
        tmp_path,
        {
            "train/cat/cut.jpg": jpeg()[:-20],
            "train/cat/empty.png": b"",
            "train/dog/text.png": "hello",
            "train/dog/notes.txt": "x",
            "train/stray.png": png(3),
        },
    )
    (tmp_path / "train/cat/gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "train/cat/pipe.png")
    records = list(DataFolder(tmp_path, PICTURES).records("train"))
    reasons = {record.file: record.problem.reason for record in records if record.problem}
    assert len(records) == 8 + 7
    assert all((record.features is None) == (record.problem is not None) for record in records)
    assert "cannot be decoded" in reasons["train/cat/cut.jpg"]
    assert reasons["train/cat/empty.png"] == "the file is empty"
    assert "not a picture" in reasons["train/dog/text.png"]
    assert "does not end in .png" in reasons["train/dog/notes.txt"]
    assert reasons["train/stray.png"] == "lies outside the class folders"
    assert reasons["train/cat/gone.png"] == "there is no such file"
    assert reasons["train/cat/pipe.png"] == "not an ordinary file"
    assert not any(record.problem.attack for record in records if record.problem)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "a/../../secret.png",
        "/etc/hostname",
        "..\\secret.png",
        "C:\\secret.png",
        "out.png",
        "out/secret.png",
        "a\0b",
    ],
)
def test_a_file_name_that_leaves_the_folder_is_an_attack_and_never_opened(tmp_path, name, monkeypatch):
    root = tmp_path / "root"
    write(tmp_path, {"secret.png": png(), "elsewhere/secret.png": png(), "root/secret.png": png()})
    write(
        root,
        {
            "train/metadata.jsonl": json.dumps({"file_name": name, "label": "x"}),
            "eval/metadata.csv": "file_name,label\n",
        },
    )
    (root / "train/out.png").symlink_to(tmp_path / "secret.png")
    (root / "train/out").symlink_to(tmp_path / "elsewhere")
    opened = []
    really_open = os.open

    def spy(path, flags, *rest):
        handle = really_open(path, flags, *rest)
        opened.append(path)
        return handle

    folder = DataFolder(root, PICTURES)
    monkeypatch.setattr(os, "open", spy)
    (record,) = folder.records("train")
    assert record.features is None
    assert record.problem.attack
    assert record.problem.column == "image"
    assert opened == []


def test_links_out_of_class_folders_are_attacks_and_links_within_are_not(tmp_path):
    root = split_classes(tmp_path / "root")
    write(tmp_path, {"secret/1.png": png(7)})
    (root / "train/cat/out.png").symlink_to(tmp_path / "secret/1.png")
    (root / "train/bird").symlink_to(tmp_path / "secret")
    (root / "train/cat/within.png").symlink_to(root / "eval/cat/8.png")
    records = {record.file: record for record in DataFolder(root, PICTURES).records("train")}
    assert {file for file, record in records.items() if record.problem} == {"train/cat/out.png", "train/bird"}
    assert all(records[file].problem.attack for file in ("train/cat/out.png", "train/bird"))
    assert records["train/cat/within.png"].features["image"] == png(8)


@pytest.mark.parametrize("link", ["train", "train/metadata.csv"])
def test_a_split_or_table_that_is_a_link_out_is_refused(tmp_path, link):
    root = tmp_path / "root"
    write(tmp_path, {"out/metadata.csv": "file_name,label\n", "root/eval/metadata.csv": "file_name,label\n"})
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(tmp_path / "out" / link.partition("/")[2])
    with pytest.raises(DataRefused, match="leads out of"):
        DataFolder(root, PICTURES)


def test_metadata_rows_at_fault_name_file_row_and_column(tmp_path):
    lines = ["file_name,label", "a.png,cat", "gone.png,cat", "a.png,", ",cat", "a.png,cat,x", "b\\a.png,cat"]
    write(tmp_path, {"metadata.csv": "\n".join(lines), "a.png": png()})
    records = list(DataFolder(tmp_path, PICTURES).records("all"))
    assert {record.file for record in records} == {"metadata.csv"}
    assert told(records) == {
        (3, "image"): "'gone.png': there is no such file",
        (4, "label"): "no value",
        (5, "image"): "no value",
        (6, None): "3 fields; the header has 2",
        (7, "image"): "'b\\\\a.png': there is no such file; write / between folders, not \\",
    }


@pytest.mark.parametrize("name", ["\\ud800.png", "\\udcff.png", "x" * 5000, "dir", "dir/", "."])
def test_a_file_name_that_names_no_file_is_told(tmp_path, name):
    write(tmp_path, {"metadata.jsonl": f'{{"file_name": "{name}", "label": "x"}}', "dir/a.png": png()})
    (record,) = DataFolder(tmp_path, PICTURES).records("all")
    assert record.problem.column == "image"
    assert not record.problem.attack
    assert record.problem.reason.isprintable()


@pytest.mark.parametrize("name", ["7", '["a.png"]', "true"])
def test_a_file_name_that_is_no_text_is_told(tmp_path, name):
    write(tmp_path, {"metadata.jsonl": f'{{"file_name": {name}, "label": "x"}}'})
    (record,) = DataFolder(tmp_path, PICTURES).records("all")
    assert "expected the name of a file" in record.problem.reason


def test_a_file_too_large_to_hold_is_told_and_not_read(tmp_path):
    write(tmp_path, {"metadata.csv": "file_name,label\na.png,x\n", "a.png": png()})
    os.truncate(tmp_path / "a.png", 2**40)
    (record,) = DataFolder(tmp_path, PICTURES).records("all")
    assert "the largest file taken" in record.problem.reason


def test_names_that_are_no_utf8_are_told_in_printable_form(tmp_path):
    split_classes(tmp_path)
    with open(os.fsencode(tmp_path) + b"/train/cat/\xff.png", "wb") as stream:
        stream.write(png())
    (problem,) = (record for record in DataFolder(tmp_path, PICTURES).records("train") if record.problem)
    assert problem.file == "train/cat/\\udcff.png"


def test_csv_rows_at_fault_are_told_by_line_and_the_rest_is_read(tmp_path):
    lines = [
        b"\xef\xbb\xbftext,stars,extra",
        b"good,1,x",
        b'"two\r\nlines, ""quoted""' + b'",2,x',
        b"",
        b"late,9,x",
        b"wrong,many,x",
        b"few,1",
        b"text,stars,extra",
        b"b\xffd,1,x",
        b"fine,3,\xff",
        b"none,,x",
        b"bare\rreturn,1,x",
        b"last,5,x",
    ]
    content = b"\r\n".join(lines)
    records = rows_in(tmp_path, content)
    assert texts(records) == ["good", 'two\r\nlines, "quoted"', "fine", "last"]
    assert [record.row for record in records if record.features] == [2, 3, 11, 14]
    assert told(records) == {
        (6, "stars"): "9 is out of bounds; must be 1 to 5",
        (7, "stars"): "expected a whole number, got 'many'",
        (8, None): "2 fields; the header has 3",
        (9, None): "the header again",
        (10, "text"): "not valid UTF-8: 'b\\udcffd'",
        (12, "stars"): "no value",
        (13, None): "a carriage return outside quotes",
    }


@pytest.mark.parametrize("stray", ['"never closed,1', '"closed" badly,1'])
def test_a_stray_quote_costs_one_row_and_not_all_that_follow(tmp_path, stray):
    content = f"text,stars\na,1\n{stray}\n" + "".join(f"row {n},2\n" for n in range(500)) + '"b, c",3\n'
    records = rows_in(tmp_path, content)
    assert texts(records) == ["a", *(f"row {n}" for n in range(500)), "b, c"]
    assert [row for row, _ in told(records)] == [3]


def test_a_long_text_is_read_and_an_endless_line_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("data.folders.tables.MAX_LINE_BYTES", 300_000)
    records = rows_in(
        tmp_path,
        f"text,stars\n{'a' * 200_000},1\n{'b' * 900_000},2\nc,3\n",
        REVIEWS | {"text": Text(max_characters=10**9)},
    )
    assert [len(text) for text in texts(records)] == [200_000, 1]
    assert told(records) == {(3, None): "the line is longer than 300000 bytes"}
    assert records[-1].row == 4


def test_jsonl_lines_at_fault_are_told_and_the_rest_is_read(tmp_path):
    content = (
        b'{"text": "a", "stars": 1}\n\n{"text": "b", "stars"\n{"text": "\xff", "stars": 1}\n[1]\n' + b"[" * 100_000
    )
    content += b'\n{"text": null, "stars": 1}\n{"text": "d", "stars": true}\n'
    content += b'{"text": "\\ud800", "stars": 1}\n{"text": "e", "stars": 5}'
    records = rows_in(tmp_path, content, name="train.jsonl")
    reasons = told(records)
    assert texts(records) == ["a", "e"]
    assert [record.row for record in records] == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert reasons[3, None].startswith("not valid JSON: Expecting ':' delimiter")
    assert reasons[4, None] == "not valid UTF-8 (byte 11 of the line)"
    assert reasons[5, None] == "not a JSON object; write one {...} per line"
    assert "usable JSON" in reasons[6, None]
    assert reasons[7, "text"] == "no value"
    assert reasons[8, "stars"] == "expected a whole number, got True"
    assert reasons[9, "text"].startswith("not valid UTF-8")


def test_parquet_rows_at_fault_are_told_and_the_rest_is_read(tmp_path):
    binary = pa.array([b"a", b"\xff", b"c"])
    text = pa.Array.from_buffers(pa.string(), 3, binary.buffers())
    pq.write_table(pa.table({"text": text, "stars": [1.0, 2.0, 2.5]}), tmp_path / "a.parquet")
    records = list(DataFolder(tmp_path, REVIEWS).records("all"))
    assert texts(records) == ["a"]
    assert told(records) == {(2, "text"): "not valid UTF-8", (3, "stars"): "expected a whole number, got 2.5"}


def test_each_row_of_a_damaged_part_of_a_parquet_file_is_told(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"text": [f"text {n}" for n in range(4000)], "stars": [1] * 4000}),
        path,
        row_group_size=2000,
        use_dictionary=False,
        compression="snappy",
    )
    content = bytearray(path.read_bytes())
    second = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content[second.data_page_offset + 30 : second.data_page_offset + second.total_compressed_size] = b"\xff" * (
        second.total_compressed_size - 30
    )
    path.write_bytes(bytes(content))
    records = list(DataFolder(tmp_path, REVIEWS).records("all"))
    assert len(records) == 4000
    assert 1000 <= sum(record.features is not None for record in records) <= 2000
    assert "damaged" in records[-1].problem.reason


def test_stray_entries_beside_tables_are_told(tmp_path):
    write(tmp_path, {"a.csv": "text,stars\na,1\n", "b.tsv": "x", "more/c.csv": "x", "README.md": "x", "LICENSE": "x"})
    problems = [record.file for record in DataFolder(tmp_path, REVIEWS).records("all") if record.problem]
    assert sorted(problems) == ["b.tsv", "more"]


# --- splits, shards, limits ---


def test_unsplit_data_is_split_by_content_so_that_copies_stay_on_one_side(tmp_path):
    files = {f"{label}/{copy}{n}.png": png(n) for label in ("cat", "dog") for n in range(200) for copy in "ab"}
    folder = DataFolder(write(tmp_path, files), PICTURES)
    sides = {}
    for record in folder.records("all"):
        sides.setdefault(record.features["image"], set()).add(record.split)
    assert folder.splits == ("all",)
    assert folder.layout == "class-named subfolders, split 80/20 by content"
    assert all(len(split) == 1 for split in sides.values())
    assert 0.1 < sum(split == {"eval"} for split in sides.values()) / len(sides) < 0.3


def test_the_split_of_a_record_never_changes(tmp_path):
    write(tmp_path, {"a.csv": "text,stars\n" + "".join(f"text {n},1\n" for n in range(12))})
    sides = "".join(record.split[0] for record in DataFolder(tmp_path, REVIEWS).records("all"))
    assert sides == "ttettttetttt"


CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(CELLS, st.integers(1, 5)), min_size=1, max_size=20),
    st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
)
def test_what_csv_writers_write_is_what_is_read(tmp_path, rows, style):
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator=style[0], quoting=style[1]).writerows([("text", "stars"), *rows])
    columns = REVIEWS | {"text": Text(min_characters=0)}
    records = list(DataFolder(tmp_path, columns).records("all"))
    assert [(record.features["text"].decode(), record.features["stars"]) for record in records] == rows
    lines = (tmp_path / "a.csv").read_bytes().split(b"\n")
    assert all(lines[record.row - 1] for record in records)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.integers(0, 6)), min_size=1, max_size=40),
    st.integers(1, 7),
)
def test_shards_hold_each_record_once_and_do_not_change_its_split(tmp_path, rows, num_shards):
    write(tmp_path, {"a.csv": "text,stars\n" + "".join(f"{text},{stars}\n" for text, stars in rows)})
    folder = DataFolder(tmp_path, REVIEWS)
    whole = {(record.row, record.split, record.problem) for record in folder.records("all")}
    parts = [
        (record.row, record.split, record.problem)
        for n in range(num_shards)
        for record in folder.records("all", n, num_shards)
    ]
    assert len(parts) == len(rows) == len(whole)
    assert set(parts) == whole


def test_media_shards_hold_each_file_once(tmp_path):
    folder = DataFolder(write(tmp_path, classes(count=30) | {"notes.txt": "x"}), PICTURES)
    parts = [[record.file for record in folder.records("all", n, 4)] for n in range(4)]
    assert sorted(file for part in parts for file in part) == sorted(record.file for record in folder.records("all"))
    assert all(len(part) > 5 for part in parts)
    assert [file for part in parts for file in part] == [record.file for record in folder.records("all")]
    with pytest.raises(ValueError, match="shard 4 of 4"):
        folder.records("all", 4, 4)


def test_how_many_shards_suit_a_folder_follows_from_its_records_and_their_media(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "FEWEST_TO_SHARD", 30)
    monkeypatch.setattr(folder_module, "SHARD_SIZE", 10)
    monkeypatch.setattr(folder_module, "MOST_SHARDS", 4)
    monkeypatch.setattr(folder_module, "MOST_SHARDS_OF_ROWS", 3)
    rows = write(tmp_path / "rows", {"a.csv": "text,stars\n" + "".join(f"text {n},3\n" for n in range(45))})
    assert [DataFolder(rows, REVIEWS).shards(limit) for limit in (None, 31, 29)] == [3, 3, 1]
    pictures = DataFolder(write(tmp_path / "pictures", classes(count=12)), PICTURES)
    assert pictures.shards() == 1
    monkeypatch.setattr(folder_module, "BYTES_AS_RECORD", 10)
    assert pictures.shards() == 4


def test_windows_are_read_in_one_go(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "FEWEST_TO_SHARD", 1)
    text = "at,load\n" + "".join(f"2024-01-01T{n:02}:00:00Z,{n}\n" for n in range(20))
    columns = {"at": Timestamp(), "load": Window(steps=2)}
    assert DataFolder(write(tmp_path, {"a.csv": text}), columns).shards() == 1


def test_limit_counts_per_split_over_all_shards(tmp_path):
    folder = DataFolder(split_classes(tmp_path / "split"), PICTURES)
    assert len(list(folder.records("train", limit=3))) == 3
    assert list(folder.records("train", limit=0)) == []
    assert max(len(list(folder.records("train", n, 2, limit=3))) for n in range(2)) == 2
    unsplit = DataFolder(write(tmp_path / "whole", classes(count=100)), PICTURES)
    assert Counter(record.split for record in unsplit.records("all", limit=5)) == {"train": 5, "eval": 5}


def test_content_is_the_input_and_not_its_label():
    assert content_digest({"image": b"x", "label": b"a"}, PICTURES) == content_digest(
        {"image": b"x", "label": b"b"}, PICTURES
    )
    assert content_digest({"text": b"x", "stars": 1}, REVIEWS) != content_digest({"text": b"x", "stars": 2}, REVIEWS)


# --- digest and memory ---


def test_the_digest_changes_with_any_file_and_with_nothing_else(tmp_path):
    split_classes(tmp_path)
    seen = [DataFolder(tmp_path, PICTURES).digest()]
    write(tmp_path, {".DS_Store": "x", "train/cat/Thumbs.db": "x", ".git/HEAD": "x"})
    assert DataFolder(tmp_path, PICTURES).digest() == seen[0]

    def changed():
        digest = DataFolder(tmp_path, PICTURES).digest()
        new = digest not in seen
        seen.append(digest)
        return new

    write(tmp_path, {"train/cat/new.png": png()})
    assert changed()
    os.utime(tmp_path / "train/cat/new.png", ns=(1, 1))
    assert changed()
    (tmp_path / "train/cat/new.png").rename(tmp_path / "train/dog/new.png")
    assert changed()
    (tmp_path / "train/dog/new.png").unlink()
    assert DataFolder(tmp_path, PICTURES).digest() == seen[0]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "classes"])
def test_memory_does_not_grow_with_the_bytes(tmp_path, kind):
    text = "x" * 20_000
    if kind == "csv":
        write(tmp_path, {"a.csv": "text,stars\n" + f"{text},1\n" * 1000})
    elif kind == "jsonl":
        write(tmp_path, {"a.jsonl": (json.dumps({"text": text, "stars": 1}) + "\n") * 1000})
    elif kind == "parquet":
        writer = pq.ParquetWriter(tmp_path / "a.parquet", pa.schema({"text": pa.string(), "stars": pa.int64()}))
        for _ in range(20):
            writer.write_table(pa.table({"text": [text] * 50, "stars": [1] * 50}))
        writer.close()
    else:
        write(tmp_path, {f"cat/{n}.png": png() + bytes(100_000) for n in range(200)})
    folder = DataFolder(tmp_path, PICTURES if kind == "classes" else REVIEWS)
    tracemalloc.start()
    count = sum(record.problem is None for record in folder.records("all"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == (200 if kind == "classes" else 1000)
    assert peak < 5 * 2**20
