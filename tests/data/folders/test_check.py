"""The findings of `benison data check`: counts, bad records, attacks, leaks, classes, and the verdict."""

import io
import json

import pytest
from PIL import Image as Pillow

from data.columns import Boxes, Image, Integer, Label, Text
from data.errors import DataRefused
from data.folders.check import check

COLUMNS = {"image": Image(), "label": Label()}
ROWS = {"text": Text(), "stars": Integer(minimum=1, maximum=5), "topic": Label()}


def png(shade):
    buffer = io.BytesIO()
    Pillow.new("L", (4, 3), shade).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(root, counts):
    shade = 0
    for folder, count in counts.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            (root / folder / f"{number}.png").write_bytes(png(shade))
            shade += 1
    return root


def tables(root, train, evaluation):
    for name, lines in {"train": train, "eval": evaluation}.items():
        (root / f"{name}.csv").write_text("\n".join(["text,stars,topic", *lines]))
    return root


def test_good_data(tmp_path):
    seen = []
    root = pictures(tmp_path, {"train/cat": 30, "train/dog": 10, "eval/cat": 5, "eval/dog": 5})
    report = check(root, COLUMNS, progress=lambda split, read: seen.append((split, read)))
    assert report.ok
    assert report.refusals == []
    assert (report.splits["train"].good, report.splits["eval"].good) == (40, 10)
    assert report.splits["train"].classes == {"label": {"cat": 30, "dog": 10}}
    assert seen == [("train", 40), ("eval", 10)]
    text = report.text()
    assert "class-named subfolders" in text
    assert "label: cat 30, dog 10" in text
    assert text.endswith("Good to train on.")


def test_unsplit_data_is_counted_on_both_sides(tmp_path):
    report = check(pictures(tmp_path, {"cat": 60, "dog": 60}), COLUMNS)
    assert report.ok
    assert report.splits["train"].good + report.splits["eval"].good == 120
    assert report.splits["eval"].good > 5


def test_bad_records_are_grouped_by_reason_with_examples_and_a_fix(tmp_path):
    train = [f"text {n},1,a" for n in range(100)] + ["x,6,a", "y,7,a", "z,8,a", "w,9,a", ",1,a"]
    report = check(tables(tmp_path, train, ["t,1,a"]), ROWS)
    assert report.ok  # 5 of 106
    first, second = report.problems
    assert (first.column, first.count, len(first.examples)) == ("stars", 4, 3)
    assert first.examples[0] == {"file": "train.csv", "row": 102, "reason": "6 is out of bounds; must be 1 to 5"}
    assert first.fix == "Write a whole number that fits there, or remove the record."
    assert (second.column, second.reason) == ("text", "no value")
    assert "4 records: stars: 6 is out of bounds" in report.text()
    assert "train.csv, row 102" in report.text()


def test_more_than_five_percent_bad_is_refused(tmp_path):
    report = check(tables(tmp_path, [f"text {n},1,a" for n in range(9)] + ["x,6,a"], ["t,1,a"]), ROWS)
    assert not report.ok
    assert report.refusals == [
        "1 of 11 records are bad (9.1%; at most 5% may be):\n      train.csv, row 11, column stars: 6 is out of "
        "bounds; must be 1 to 5"
    ]
    assert "Refused: 1 of 11 records are bad (9.1%" in report.text() and "--set max_quarantined=" in report.text()


def test_one_attack_is_refused_and_comes_first(tmp_path):
    root = pictures(tmp_path / "root", {"train/cat": 50, "eval/cat": 2})
    (tmp_path / "secret.png").write_bytes(png(200))
    (root / "train/cat/link.png").symlink_to(tmp_path / "secret.png")
    (root / "train/cat/a.txt").write_text("x")
    report = check(root, COLUMNS)
    assert report.bad_share < 0.05
    assert not report.ok
    assert report.problems[0].attack
    assert report.problems[0].examples[0]["file"] == "train/cat/link.png"
    assert "ATTACK 1 record: image: a link leads out of the data folder" in report.text()
    [refusal] = report.refusals
    assert refusal.startswith("1 path out of the data folder:\n      train/cat/link.png")


def test_copies_across_train_and_eval_are_a_warning(tmp_path):
    root = pictures(tmp_path, {"train/cat": 20, "eval/cat": 5})
    for number in range(4):
        (root / f"eval/cat/copy{number}.png").write_bytes(png(number))
    report = check(root, COLUMNS)
    assert report.ok
    assert report.leaks == 4
    assert len(report.leak_examples) == 3
    assert all(name.startswith("eval/cat/copy") for name in report.leak_examples)
    assert "Warning: 4 records of eval" in report.text()


def test_classes_that_train_lacks_are_refused(tmp_path):
    report = check(pictures(tmp_path, {"train/cat": 5, "train/cow": 5, "eval/cat": 5, "eval/dog": 5}), COLUMNS)
    assert report.unseen == {"label": ["dog"]}
    assert not report.ok
    assert "eval has classes that train lacks: dog" in report.text()


def test_an_empty_split_is_refused(tmp_path):
    assert check(tables(tmp_path, ["a,1,a"], []), ROWS).refusals == ["eval holds no good record"]


def test_only_the_largest_classes_are_shown(tmp_path):
    lines = [f"text {n},1,topic{n % 30}" for n in range(90)]
    text = check(tables(tmp_path, lines, ["t,1,topic1"]), ROWS).text()
    assert "and 10 more" in text


def test_boxes_are_counted_by_class_and_bad_ones_grouped(tmp_path):
    def row(number, box):
        (tmp_path / f"{number}.png").write_bytes(png(number))
        return json.dumps({"file_name": f"{number}.png", "objects": [{"bbox": box, "label": "cup"}] * 2})

    lines = [row(n, [0, 0, 4, 3]) for n in range(50)] + [row(50, [1, 1, 5.5, 1]), row(51, [1, 1, 7, 1])]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    report = check(tmp_path, {"image": Image(), "objects": Boxes()})
    assert report.ok
    assert sum(count.classes["objects"]["cup"] for count in report.splits.values()) == 100
    [group] = report.problems
    assert group.count == 2
    assert "metadata.jsonl, row 51: box 1 of [1, 1, 5.5, 1] reaches 2.5 pixels out of" in report.text()


def test_the_report_is_plain_json(tmp_path):
    report = check(tables(tmp_path, ["a,1,a", "b,9,a"], ["a,1,b"]), ROWS).to_json()
    assert json.loads(json.dumps(report)) == report
    assert report["ok"] is False
    assert report["splits"]["train"] == {"good": 1, "bad": 1, "classes": {"topic": {"a": 1}}}
    assert report["leaks"] == 1
    assert report["unseen"] == {"topic": ["b"]}


def test_a_layout_that_is_none_of_ours_is_refused_as_in_a_run(tmp_path):
    with pytest.raises(DataRefused):
        check(tmp_path, COLUMNS)
