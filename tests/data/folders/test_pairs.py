"""Pairs of records: drawn within a split, half of one person, and nobody on both sides."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Image, Label, Partner, Same
from data.errors import DataRefused, WrongUse
from data.folders.check import check
from data.folders.folder import DataFolder

FACES = {
    "image": Image(),
    "partner": Partner(of="image", kind=Image()),
    "person": Label(open=True, optional=True),
    "partner_person": Partner(of="person", kind=Label(open=True, optional=True), optional=True),
    "same": Same(by="person"),
}


def png(shade):
    buffer = io.BytesIO()
    Pillow.fromarray(np.full((4, 4), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def people(root, sizes, first=0):
    """A folder a person, every picture of another shade."""
    for number, (name, size) in enumerate(sizes.items()):
        (root / name).mkdir(parents=True)
        for picture in range(size):
            (root / name / f"{name}_{picture + 1:04}.png").write_bytes(png(first + 10 * number + picture))
    return root


def records(root, **options):
    folder = DataFolder(root, FACES, "person", **options)
    return [record for split in folder.splits for record in folder.records(split)]


def test_half_of_the_pairs_are_of_one_person_and_nobody_is_on_both_sides(tmp_path):
    found = records(people(tmp_path, {f"p{n}": 5 for n in range(10)}))
    assert all(record.problem is None for record in found)
    counts = Counter((record.split, record.features["same"]) for record in found)
    assert counts["train", 0] == counts["train", 1] == 4 * counts["eval", 0] == 4 * counts["eval", 1] > 0
    sides: dict[str, set[bytes]] = {"train": set(), "eval": set()}
    for record in found:
        names = record.features["person"], record.features["partner_person"]
        assert record.features["same"] == (names[0] == names[1])
        assert record.features["image"] != record.features["partner"]
        sides[record.split] |= set(names)
    assert len(sides["train"]) == 8 and len(sides["eval"]) == 2 and not sides["train"] & sides["eval"]
    assert len({record.file for record in found}) == 50, "every picture is in a pair"


def test_the_same_folder_gives_the_same_pairs_in_any_number_of_shards(tmp_path):
    folder = DataFolder(people(tmp_path, {f"p{n}": 4 for n in range(6)}), FACES, "person")
    whole = [(r.split, r.file, r.features["partner"]) for r in folder.records("all")]
    again = DataFolder(tmp_path, FACES, "person")
    parts = [(r.split, r.file, r.features["partner"]) for n in range(3) for r in again.records("all", n, 3)]
    assert sorted(whole) == sorted(parts) and whole != parts


def test_who_has_one_picture_is_compared_with_others_alone_and_that_is_said(tmp_path):
    report = check(people(tmp_path, {"a": 4, "b": 4, "c": 4, "d": 4, "e": 1}), FACES, split_by="person")
    assert "Warning: person of 1 record: the only record of its kind, and so in no pair of the same" in report.text()
    found = [record for record in records(tmp_path) if record.features["person"] == b"e"]
    assert found and not any(record.features["same"] for record in found)


def test_a_bad_picture_is_told_once_and_takes_no_good_one_along(tmp_path):
    people(tmp_path, {f"p{n}": 5 for n in range(6)})
    (tmp_path / "p1" / "p1_0001.png").write_bytes(b"no picture")
    found = records(tmp_path)
    bad = [record for record in found if record.problem]
    assert [(record.file, record.problem.column) for record in bad] == [("p1/p1_0001.png", "image")]
    assert len({record.file for record in found if not record.problem}) == 29


def test_an_empty_folder_is_named(tmp_path):
    people(tmp_path, {f"p{n}": 5 for n in range(6)})
    (tmp_path / "nobody").mkdir()
    (bad,) = (record for record in records(tmp_path) if record.problem)
    assert bad.file == "nobody/" and bad.problem.reason == "the folder holds no picture"


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [({"a": 5, "b": 5}, "holds one person only"), ({"a": 1, "b": 1, "c": 1, "d": 1}, "one file of each person")],
)
def test_where_there_is_nothing_to_pair_the_data_is_refused(tmp_path, sizes, reason):
    with pytest.raises(DataRefused, match=reason):
        records(people(tmp_path, sizes))


def test_a_name_in_both_splits_is_told(tmp_path):
    people(tmp_path / "train", {"a": 3, "b": 3, "c": 3})
    people(tmp_path / "eval", {"c": 3, "d": 3}, first=100)
    said = check(tmp_path, FACES, split_by="person").text()
    assert "Warning: person of 3 records: of eval, in train too" in said


def test_a_table_says_its_pairs_itself(tmp_path):
    people(tmp_path, {"a": 3, "b": 3, "c": 3})
    rows = ["a/a_0001.png,a/a_0002.png,1", "b/b_0001.png,b/b_0002.png,same", "c/c_0001.png,c/c_0003.png,true"]
    rows += ["a/a_0003.png,nothing.png,0", "b/b_0003.png,,1"]
    (tmp_path / "metadata.csv").write_text("\n".join(["file_name,partner_file_name,same", *rows]) + "\n")
    found = records(tmp_path)
    assert [record.features["same"] for record in found if record.features] == [1, 1, 1]
    reasons = {record.row: record.problem.reason for record in found if record.problem}
    assert reasons == {5: "'nothing.png': there is no such file", 6: "no value"}


def test_a_table_of_single_pictures_is_paired_as_folders_are(tmp_path):
    people(tmp_path, {f"p{n}": 4 for n in range(5)})
    rows = [f"p{n}/p{n}_{k:04}.png,p{n}" for n in range(5) for k in range(1, 5)]
    (tmp_path / "metadata.csv").write_text("\n".join(["file_name,person", *rows, "p0/p0_0001.png,"]) + "\n")
    found = records(tmp_path)
    assert {record.problem.reason for record in found if record.problem} == {"no class name"}
    assert Counter(record.features["same"] for record in found if record.features).keys() == {0, 1}


def test_people_whom_given_pairs_tie_stay_on_one_side(tmp_path):
    people(tmp_path, {f"p{n}": 2 for n in range(10)})
    rows = [
        f"p{n}/p{n}_0001.png,p{m}/p{m}_0002.png,p{n},p{m},{int(n == m)}" for n, m in enumerate([0, 0, *range(2, 10)])
    ]
    header = "file_name,partner_file_name,person,partner_person,same"
    (tmp_path / "metadata.csv").write_text("\n".join([header, *rows]) + "\n")
    side = {record.features["person"]: record.split for record in records(tmp_path)}
    assert side[b"p0"] == side[b"p1"] and set(side.values()) == {"train", "eval"}
    rows = [f"p{n}/p{n}_0001.png,p{n + 1}/p{n + 1}_0002.png,p{n},p{n + 1},0" for n in range(9)]
    (tmp_path / "metadata.csv").write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(DataRefused, match="tie all to each other, so that no person can be held out"):
        records(tmp_path)


LFW = """2\t2
a\t1\t2
b\t1\tc\t3
b 2 c 1
d\t7\t1
d\t1
c\t1\t3
"""


@pytest.mark.parametrize("below", ["", "lfw"])
def test_labelled_faces_in_the_wild_s_own_pairs_are_read(tmp_path, below):
    for split in ("train", "eval"):
        people(tmp_path / split / below, dict.fromkeys("abcd", 3))
        (tmp_path / split / "pairs.txt").write_text(LFW)
    folder = DataFolder(tmp_path, FACES, "person")
    assert folder.layout == "pairs.txt and a folder a person"
    found = {record.row: record for record in folder.records("train")}
    assert {row: record.features["same"] for row, record in found.items() if record.features} == {
        2: 1,
        3: 0,
        4: 0,
        7: 1,
    }
    assert found[3].features["person"] == b"b" and found[3].features["partner_person"] == b"c"
    assert found[3].features["partner"] == png(22)
    assert found[5].problem.reason == "'d/d_0007': there is no such file" and found[5].file == "train/pairs.txt"
    assert found[6].problem.reason.startswith("expected `NAME 1 2`")


def test_its_lists_for_development_are_the_splits(tmp_path):
    people(tmp_path / "lfw", dict.fromkeys("abcd", 3))
    (tmp_path / "pairsDevTrain.txt").write_text("1\na\t1\t2\na\t1\tb\t3\n")
    (tmp_path / "pairs.txt").write_text(LFW)
    assert DataFolder(tmp_path, FACES, "person").layout.startswith("pairs.txt"), "of one list nothing can be held out"
    (tmp_path / "pairsDevTest.txt").write_text("1\nc\t1\t2\nc\t1\td\t9\n")
    folder = DataFolder(tmp_path, FACES, "person")
    assert "pairsDevTrain.txt" in folder.layout and "pairsDevTest.txt" in folder.layout
    records_of = {split: list(folder.records(split)) for split in ("train", "eval")}
    assert sorted(record.features["same"] for record in records_of["train"]) == [0, 1]
    [bad] = [record for record in records_of["eval"] if record.problem]
    assert bad.file == "pairsDevTest.txt" and bad.row == 3 and "'d/d_0009'" in bad.problem.reason


def test_pairs_are_split_by_people_and_by_nothing_else(tmp_path):
    people(tmp_path, {f"p{n}": 4 for n in range(5)})
    with pytest.raises(WrongUse, match="'content' is no column to split a folder by"):
        DataFolder(tmp_path, FACES, "content")


KNOWN = {"image": Image(), "person": Label(open=True, strangers=0.2)}


def test_some_people_are_strangers_and_of_all_others_some_pictures_are_held_out(tmp_path):
    folder = DataFolder(people(tmp_path, {f"p{n}": 10 for n in range(10)}), KNOWN, "person")
    assert "2 of 10 values of person for evaluation alone" in folder.layout
    sides: dict[bytes, Counter[str]] = {}
    for record in folder.records("all"):
        sides.setdefault(record.features["person"], Counter())[record.split] += 1
    strangers = [name for name, counts in sides.items() if not counts["train"]]
    assert len(strangers) == 2 and all(sides[name]["eval"] == 10 for name in strangers)
    known = [counts["eval"] for name, counts in sides.items() if name not in strangers]
    assert 4 <= sum(known) <= 30 and max(known) < 10
    report = check(tmp_path, KNOWN, split_by="person", targets=("person",))
    assert report.ok, "names that train never saw are no fault of an open set"


def test_of_two_people_none_is_a_stranger(tmp_path):
    folder = DataFolder(people(tmp_path, {"a": 10, "b": 10}), KNOWN, "person")
    assert folder.layout.endswith("split 80/20 by content, since person has 2 values only")
