"""Two sets of pictures, crossed: every picture in some pair, and neither of a pair in evaluation known to training."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Crossed, Given, Image, Number
from data.errors import DataRefused
from data.folders.check import check
from data.folders.crossing import EVAL_PAIRS
from data.folders.folder import DataFolder

COLUMNS = {
    "content": Image(longest_learnt=8),
    "style": Crossed(kind=Image(longest_learnt=8)),
    "alpha": Given(kind=Number(minimum=0, maximum=1), default=1.0),
}


def png(shade, size=(4, 4)):
    buffer = io.BytesIO()
    Pillow.fromarray(np.full((size[1], size[0], 3), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def two_folders(root, contents, styles, first=0):
    """`content/` and `style/`, every picture of another shade."""
    for number, (folder, count) in enumerate((("content", contents), ("style", styles))):
        (root / folder).mkdir(parents=True)
        for picture in range(count):
            (root / folder / f"{folder}{picture:02}.png").write_bytes(png(first + 100 * number + picture))
    return root


def records(root):
    folder = DataFolder(root, COLUMNS)
    return [record for split in folder.splits for record in folder.records(split)]


def good(found, side):
    return [record.features for record in found if record.split == side and record.features]


def test_split_folders_are_crossed_within_each_side(tmp_path):
    two_folders(tmp_path / "train", 7, 3)
    two_folders(tmp_path / "eval", 4, 5, first=50)
    found = records(tmp_path)
    assert all(record.problem is None for record in found)
    train, evaluated = good(found, "train"), good(found, "eval")
    assert len(train) == 7 and len(evaluated) == 20
    assert Counter(Counter(one["style"] for one in train).values()) == {2: 2, 3: 1}
    assert len({(one["content"], one["style"]) for one in evaluated}) == 20, "each pair once"
    assert {one["style_name"] for one in train} == {b"style00", b"style01", b"style02"}
    assert {one["alpha"] for one in train} == {1.0}


def test_no_more_pairs_are_judged_than_tell_something(tmp_path):
    two_folders(tmp_path / "train", 1, 2)
    two_folders(tmp_path / "eval", 30, 9, first=50)
    evaluated = good(records(tmp_path), "eval")
    assert len(evaluated) == EVAL_PAIRS
    for name, count in (("content", 30), ("style", 9)):
        often = Counter(one[name] for one in evaluated)
        assert len(often) == count and max(often.values()) - min(often.values()) <= 1


def test_of_an_unsplit_folder_a_fifth_of_each_set_is_held_out(tmp_path):
    found = records(two_folders(tmp_path, 20, 10))
    sides = {side: good(found, side) for side in ("train", "eval")}
    for name, most in (("content", 6), ("style", 3)):
        seen = {side: {one[name] for one in those} for side, those in sides.items()}
        assert not seen["train"] & seen["eval"]
        assert 1 <= len(seen["eval"]) <= most and sum(map(len, seen.values())) == (20 if name == "content" else 10)
    assert "content pictures held out" in DataFolder(tmp_path, COLUMNS).layout


def test_copies_are_on_one_side(tmp_path):
    two_folders(tmp_path, 12, 6)
    for number in range(12):
        copy = tmp_path / "content" / f"z{number}.png"
        copy.write_bytes((tmp_path / "content" / f"content{number:02}.png").read_bytes())
    found = records(tmp_path)
    seen = {side: {one["content"] for one in good(found, side)} for side in ("train", "eval")}
    assert not seen["train"] & seen["eval"] and len(seen["train"] | seen["eval"]) == 12


def test_any_number_of_shards_gives_the_same_pairs(tmp_path):
    folder = DataFolder(two_folders(tmp_path, 9, 5), COLUMNS)
    whole = [(r.split, r.file, r.features["style"]) for r in folder.records("all")]
    parts = [(r.split, r.file, r.features["style"]) for shard in range(3) for r in folder.records("all", shard, 3)]
    assert sorted(whole) == sorted(parts)


@pytest.mark.parametrize("shards", [1, 3])
def test_bad_pictures_are_told_once_and_take_no_good_one_along(tmp_path, shards):
    two_folders(tmp_path / "train", 6, 4)
    two_folders(tmp_path / "eval", 3, 3, first=50)
    for path in ("style/style01.png", "content/content02.png", "content/content03.png"):
        (tmp_path / "train" / path).write_bytes(b"no picture")
    (tmp_path / "train" / "style" / "notes.doc").write_text("x")
    folder = DataFolder(tmp_path, COLUMNS)
    found = [record for shard in range(shards) for record in folder.records("train", shard, shards)]
    told = sorted((record.file, record.problem.column) for record in found if record.problem)
    assert told == [
        ("train/content/content02.png", "content"),
        ("train/content/content03.png", "content"),
        ("train/style/notes.doc", "style"),
        ("train/style/style01.png", "style"),
    ]
    kept = good(found, "train")
    assert len({one["content"] for one in kept}) == 4 and len({one["style"] for one in kept}) == 3
    assert len(kept) == 6


def test_a_set_of_bad_pictures_alone_is_refused_with_their_names(tmp_path):
    two_folders(tmp_path / "train", 3, 1)
    two_folders(tmp_path / "eval", 2, 2, first=50)
    (tmp_path / "train" / "style" / "style00.png").write_bytes(b"no picture")
    report = check(tmp_path, COLUMNS)
    assert not report.ok and "train holds no good record (1 bad: train/style/style00.png" in report.text()


def test_a_table_may_name_one_or_both_of_a_pair(tmp_path):
    rows = {"train": ["a.png,", ",b.png", "c.png,d.png"], "eval": ["a.png,b.png", "c.png,d.png"]}
    for number, (split, lines) in enumerate(rows.items()):
        (tmp_path / split).mkdir()
        (tmp_path / split / "metadata.csv").write_text("\n".join(["file_name,style_file_name", *lines]))
        for place, name in enumerate("abcd"):
            (tmp_path / split / f"{name}.png").write_bytes(png(60 * number + 10 * place))
    found = records(tmp_path)
    assert all(record.problem is None for record in found)
    assert len(good(found, "train")) == 2, "two contents and two styles, crossed"
    pairs = {(one["content"], one["style_name"]) for one in good(found, "eval")}
    assert pairs == {(png(60), b"b"), (png(80), b"d")}, "as they stand in the table"


def test_folders_within_the_folders_are_read_too(tmp_path):
    two_folders(tmp_path, 6, 0)
    for painter in ("monet", "klee"):
        (tmp_path / "style" / painter).mkdir()
        for number in range(3):
            (tmp_path / "style" / painter / f"{painter}{number}.png").write_bytes(png(90 + number + len(painter) * 9))
    names = {one["style_name"] for side in ("train", "eval") for one in good(records(tmp_path), side)}
    assert len(names) == 6


def test_large_pictures_of_a_folder_are_shrunk(tmp_path):
    two_folders(tmp_path, 6, 6)
    for file in tmp_path.glob("*/*.png"):
        file.write_bytes(png(int(file.stem[-1]), (40, 20)))
    for record in records(tmp_path):
        assert (record.features["content_width"], record.features["style_height"]) == (8, 4)
    assert COLUMNS["content"].encode("content", png(1, (40, 20)))["content_width"] == 40, "as a person gives it"


@pytest.mark.parametrize(
    ("contents", "styles", "words", "fix"),
    [
        (4, 0, r"style holds no picture", "Put at least one style picture there"),
        (0, 4, r"content holds no picture", "Put at least one content picture there"),
        (6, 1, "holds one style picture only, so that none can be held out", "into train/style/ and eval/style/ both"),
    ],
)
def test_too_few_pictures_are_refused_with_what_to_do(tmp_path, contents, styles, words, fix):
    with pytest.raises(DataRefused, match=words) as refused:
        records(two_folders(tmp_path, contents, styles))
    assert fix in refused.value.fix


def test_a_folder_without_styles_beside_it_is_named(tmp_path):
    two_folders(tmp_path, 3, 0)
    (tmp_path / "style").rmdir()
    with pytest.raises(DataRefused, match="holds content/, but no style/"):
        DataFolder(tmp_path, COLUMNS)


def test_a_table_without_styles_is_refused(tmp_path):
    for split in ("train", "eval"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "metadata.csv").write_text("file_name,style_file_name\na.png,\n")
        (tmp_path / split / "a.png").write_bytes(png(1))
    with pytest.raises(DataRefused, match="train holds no style picture") as refused:
        records(tmp_path)
    assert "style_file_name" in refused.value.fix


def test_a_path_out_of_the_folder_is_an_attack(tmp_path):
    two_folders(tmp_path / "train", 3, 3)
    two_folders(tmp_path / "eval", 3, 3, first=50)
    (tmp_path / "outside.png").write_bytes(png(7))
    (tmp_path / "train" / "metadata.csv").write_text(
        "file_name,style_file_name\ncontent/content00.png,../outside.png\n"
    )
    found = [record for record in records(tmp_path) if record.problem]
    assert found and all(record.problem.attack for record in found)
