"""Texts in tables and in files for each class."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.columns import Label, Passage
from data.errors import BadValue, DataRefused
from data.folders.check import check
from data.folders.folder import DataFolder

COLUMNS = {"text": Passage(max_characters=40), "label": Label()}


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def texts(root: Path, split: str) -> dict[bytes, bytes]:
    """Text -> class of the good records."""
    found = [record.features for record in DataFolder(root, COLUMNS).records(split) if record.features]
    return {features["text"]: features["label"] for features in found}  # type: ignore[misc]


@pytest.mark.parametrize(
    "name",
    ["train.csv", "train.jsonl"],
)
def test_a_table_holds_texts(tmp_path: Path, name: str) -> None:
    rows = {
        "train.csv": 'text,label\n"One, two",a\nthree,b\n',
        "train.jsonl": '{"text": "One, two", "label": "a"}\n{"text": "three", "label": "b", "id": 7}\n',
    }[name]
    write(tmp_path, {name: rows, name.replace("train", "eval"): rows})
    assert texts(tmp_path, "train") == {b"One, two": b"a", b"three": b"b"}


def test_a_folder_for_each_class_holds_a_file_for_each_text(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"README": "about", "imdb.vocab": "the", "train/urls_pos.txt": "http"}
    for split in ("train", "test"):
        files |= {f"{split}/pos/0_9.txt": "good\r\nfilm", f"{split}/neg/1_1.txt": "\ufeffbad"}
    files["train/unsup/0_0.txt"] = "who knows"
    write(tmp_path, files)
    folder = DataFolder(tmp_path, COLUMNS)
    assert texts(tmp_path, "train") == {b"good\nfilm": b"pos", b"bad": b"neg"} == texts(tmp_path, "eval")
    assert "unsup/ holds no class and is not read" in folder.layout and "test/ is for evaluation" in folder.layout
    [stray] = [record for record in folder.records("train") if record.problem]
    assert stray.file == "train/urls_pos.txt" and "outside the class folders" in stray.problem.reason


def test_a_folder_called_unsup_is_a_class_where_there_are_no_reviews(tmp_path: Path) -> None:
    write(tmp_path, {f"{split}/{name}/1.txt": name for split in ("train", "eval") for name in ("unsup", "sup")})
    assert set(texts(tmp_path, "train").values()) == {b"unsup", b"sup"}


def test_bad_files_are_named_with_what_is_wrong(tmp_path: Path) -> None:
    bad: dict[str, str | bytes] = {
        "a/latin.txt": b"caf\xe9",
        "a/blank.txt": " \n\u200b",
        "a/empty.txt": "",
        "a/long.txt": 41 * "x",
        "a/page.html": "<p>",
        "b/good.txt": "good",
    }
    write(tmp_path, {f"{split}/{name}": content for split in ("train", "eval") for name, content in bad.items()})
    records = DataFolder(tmp_path, COLUMNS).records("train")
    reasons = {record.file.rpartition("/")[2]: record.problem.reason for record in records if record.problem}
    assert reasons == {
        "latin.txt": "not valid UTF-8 (byte 4); save it as UTF-8",
        "blank.txt": "nothing to be seen: 3 blanks, control or zero-width characters",
        "empty.txt": "0 characters; must be 1 to 40",
        "long.txt": "41 characters; must be 1 to 40",
        "page.html": "the name does not end in .txt",
    }


def test_bad_rows_are_named_with_what_is_wrong(tmp_path: Path) -> None:
    rows = b"text,label\n,a\ngood,\nfine,b\ncaf\xe9,a\n"
    write(tmp_path, {"train.csv": rows, "eval.csv": rows})
    records = DataFolder(tmp_path, COLUMNS).records("train")
    found = {record.row: (record.problem.column, record.problem.reason) for record in records if record.problem}
    assert found[2] == ("text", "no value") and found[3] == ("label", "no value")
    assert found[5][0] == "text" and "not valid UTF-8" in found[5][1]


def test_one_class_is_refused(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"words {i},only\n" for i in range(20))
    write(tmp_path, {"train.csv": rows, "eval.csv": rows.replace("words", "others")})
    findings = check(tmp_path, COLUMNS, targets=("label",)).findings
    assert any("class" in str(finding) and "only" in str(finding) for finding in findings), findings


def test_neither_a_table_nor_folders_shows_both_forms(tmp_path: Path) -> None:
    write(tmp_path, {"notes.md": "x"})
    with pytest.raises(DataRefused) as refusal:
        DataFolder(tmp_path, COLUMNS)
    assert "one folder per label" in refusal.value.fix and "header text,label" in refusal.value.fix


def test_a_text_given_by_name_is_a_text() -> None:
    assert Passage().encode("text", "a/b.txt")["text"] == b"a/b.txt"
    with pytest.raises(BadValue, match="expected a text"):
        Passage().encode("text", 3)
