"""Folders of whole texts, read in excerpts."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

from data.columns import Derived, Excerpt, Text
from data.errors import DataRefused
from data.folders.excerpts import TextSides
from data.folders.folder import DataFolder, Record


def first(text: bytes, number: int) -> str:
    return text.decode()[:5]


COLUMNS = {
    "text": Excerpt(characters=50, context=20, min_characters=30),
    "opening": Derived(of="text", kind=Text(), how=first),
}


def story(number: int, characters: int = 330) -> str:
    """A text that no other is like."""
    return "".join(f"{number * 7919 + i:x} " for i in range(characters))[:characters]


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def read(folder: Path, shards: int = 1) -> list[Record]:
    found = DataFolder(folder, COLUMNS)
    return [r for split in found.splits for shard in range(shards) for r in found.records(split, shard, shards)]


def joined(records: list[Record]) -> dict[str, str]:
    texts: defaultdict[str, str] = defaultdict(str)
    for record in records:
        assert record.features is not None, record.problem
        before, here = record.features["text_before"], record.features["text"]
        assert isinstance(before, bytes) and isinstance(here, bytes)
        assert texts[record.file].endswith(before.decode())
        assert len(before.decode()) == min(20, len(texts[record.file]))
        assert record.features["text_characters"] == len(here.decode()) <= 50
        assert record.features["opening"] == here.decode()[:5].encode()
        texts[record.file] += here.decode()
    return dict(texts)


@pytest.mark.parametrize("shards", [1, 3])
def test_all_of_each_text_is_read_once_in_order_and_on_one_side(tmp_path: Path, shards: int) -> None:
    texts = {f"{'deep/er/' if i % 2 else ''}{i}.txt": story(i) for i in range(10)}
    records = read(write(tmp_path, texts | {"README.txt": "not a text"}), shards)
    assert joined(records) == texts
    sides = {record.file: record.split for record in records}
    assert all(record.split == sides[record.file] for record in records)
    assert 1 <= list(sides.values()).count("eval") <= 4
    assert DataFolder(tmp_path, COLUMNS).layout.startswith("text files, ")


def test_of_a_single_text_the_end_is_held_out_and_that_is_said(tmp_path: Path) -> None:
    records = read(write(tmp_path, {"all.txt": story(1, 1000)}))
    assert [record.split for record in records] == ["train"] * 16 + ["eval"] * 4
    assert joined(records) == {"all.txt": story(1, 1000)}
    assert "one text, the last fifth of it for evaluation" in DataFolder(tmp_path, COLUMNS).layout


def test_copies_of_a_text_are_on_one_side(tmp_path: Path) -> None:
    records = read(write(tmp_path, {f"{i}.txt": story(i % 4) for i in range(8)}))
    for i in range(4):
        assert len({record.split for record in records if record.file in (f"{i}.txt", f"{i + 4}.txt")}) == 1


@pytest.mark.parametrize("names", [("train.txt", "val.txt"), ("train/a.txt", "eval/b.txt")])
def test_a_folder_may_be_split_by_files_or_folders(tmp_path: Path, names: tuple[str, str]) -> None:
    records = read(write(tmp_path, {name: story(i) for i, name in enumerate(names)}))
    assert {(record.file, record.split) for record in records} == {(names[0], "train"), (names[1], "eval")}


def test_a_row_of_a_table_is_a_text(tmp_path: Path) -> None:
    rows = [json.dumps({"text": story(i), "author": "x"}) for i in range(10)]
    records = read(write(tmp_path, {"all.jsonl": "\n".join(rows) + "\n"}))
    assert len(records) == 10 * 7
    assert {record.split for record in records if record.row == 3} in ({"train"}, {"eval"})


def test_bad_texts_are_named(tmp_path: Path) -> None:
    good = {f"{i}.txt": story(i) for i in range(6)}
    folder = write(tmp_path, good | {"short.txt": "too short", "empty.txt": "", "picture.png": "x"})
    (folder / "latin.txt").write_bytes(story(9).encode() + "é".encode("latin-1"))
    reasons = {record.file: record.problem.reason for record in read(folder) if record.problem}
    assert reasons == {
        "short.txt": "9 characters; must be 30 to 100000000",
        "empty.txt": "0 characters; must be 30 to 100000000",
        "latin.txt": "not valid UTF-8 (byte 331); save it as UTF-8",
        "picture.png": "the name does not end in .txt",
    }


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="no text files"):
        DataFolder(write(tmp_path, {"a.md": "x"}), COLUMNS)


@pytest.mark.parametrize("text", ["שלום עולם " * 20, "日本語の文。" * 30, "👩‍🚀 " * 60, "e\u0301a\u0300 " * 60])
def test_any_script_is_cut_by_characters_in_their_composed_form(tmp_path: Path, text: str) -> None:
    assert joined(read(write(tmp_path, {"all.txt": text}))) == {"all.txt": unicodedata.normalize("NFC", text)}


def test_few_texts_are_parted_by_their_sizes() -> None:
    sides = TextSides.of({5: 100, 7: 900})
    assert sides.chosen == {5}
    assert sides.words == "1 of 2 texts for evaluation, 10% of all"
