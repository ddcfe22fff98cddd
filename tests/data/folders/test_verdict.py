"""The verdict on counts: what is refused, and what the words say to do."""

from __future__ import annotations

from typing import Any

import pytest

from data.columns import Boxes, Column, Identifier, Image, Label, Text, Timestamp
from data.folders.verdict import (
    MAX_CLASSES,
    Bounds,
    Finding,
    Problems,
    SplitCount,
    classes_of,
    judge,
    refusal,
)

COLUMNS = {"image": Image(), "label": Label(), "time": Timestamp(), "voice": Identifier()}


def judged(
    train: dict[str, int],
    evaluation: dict[str, int],
    columns: dict[str, Column] | None = None,
    bounds: Bounds | None = None,
    bad: int = 0,
    **how: Any,
) -> list[Finding]:
    """Of splits with so many records of each class of `label`; those of `bad` are in train."""
    problems = Problems()
    for row in range(bad):
        problems.see("train", "rows.csv", row + 2, "label", "no value", False)
    splits = {
        "train": SplitCount(sum(train.values()), bad, {"label": train} if train else {}),
        "eval": SplitCount(sum(evaluation.values()), 0, {"label": evaluation} if evaluation else {}),
    }
    how = {"split_by": None, "unsplit": False, "targets": ("label",)} | how
    return judge(splits, columns or COLUMNS, bounds=bounds or Bounds(), problems=problems, **how)


def test_good_data_has_no_findings() -> None:
    assert judged({"cat": 50, "dog": 50}, {"cat": 12, "dog": 8}, bad=5) == []


def test_one_class_is_refused_where_classes_are_to_be_told_apart() -> None:
    [found] = judged({"cat": 50}, {"cat": 10})
    assert "every record of train is of one class, 'cat'" in found.text and "other class" in found.fix
    assert judged({"cat": 50}, {"cat": 10}, targets=()) == [], "as an input it does no harm"
    assert judged({"cat": 50}, {"cat": 10}, columns={"label": Boxes()}) == [], "one kind of object is a task"


def test_a_long_tail_beside_a_balanced_eval_names_its_bound() -> None:
    train, evaluation = {"a": 90, "b": 8, "c": 4}, {"a": 30, "b": 30, "c": 30}
    [found] = judged(train, evaluation)
    assert "'a' is 88.2% of train and 33.3% of eval, 0.549 apart; at most 0.25 may be" in found.text
    assert "--set max_skew=0.60" in found.fix
    assert judged(train, evaluation, bounds=Bounds(max_skew=0.6)) == []


def test_what_chance_does_to_a_few_records_is_no_skew() -> None:
    assert judged({"a": 10, "b": 8, "c": 7}, {"b": 2, "c": 1}) == []
    assert judged({"a": 1000, "b": 800, "c": 700}, {"b": 200, "c": 100}), "of many records it is"


def test_too_many_bad_records_are_quoted_and_the_bound_is_named() -> None:
    [found] = judged({"a": 5, "b": 5}, {"a": 1, "b": 1}, bad=7)
    assert found.text.startswith("7 of 19 records are bad (36.8%; at most 5% may be):\n      rows.csv, row 2, column")
    assert found.text.endswith("and 2 more") and "--set max_quarantined=SHARE" in found.fix
    assert judged({"a": 5, "b": 5}, {"a": 1, "b": 1}, bad=7, bounds=Bounds(max_quarantined=0.5)) == []


def test_classes_that_train_lacks_are_listed() -> None:
    [found] = judged({"a": 50, "b": 50}, {"a": 10, "b": 10, "z": 1, "y": 1})
    assert found.text == "column label: eval has classes that train lacks: y, z"


def test_more_classes_than_can_be_held_are_refused() -> None:
    many = {str(number): 1 for number in range(MAX_CLASSES + 1)}
    [found] = judged(many, many)
    assert "column label has 100,001 classes; at most 100,000 may be" in found.text


@pytest.mark.parametrize(
    ("split_by", "reason"),
    [
        ("time", "the last fifth by time is for evaluation, and all or most records have one time"),
        ("voice", "records of one voice stay together, and there are too few different ones"),
        (None, "each record's side follows from a hash of its content, and 9 records are too few"),
    ],
)
def test_where_nothing_is_left_to_evaluate_on_the_reason_and_the_ways_out_are_named(
    split_by: str | None, reason: str
) -> None:
    [found] = judged({"a": 4, "b": 5}, {}, split_by=split_by, unsplit=True)
    assert "eval holds no good record" in found.text and reason in found.text
    assert "into eval/" in found.fix and "--set split_by=NAME by another column" in found.fix
    assert f"{split_by}," not in found.fix


def test_an_empty_half_of_a_split_folder_is_said_with_its_bad_records() -> None:
    [found] = judged({}, {"a": 5}, bad=1)
    assert found.text == "train holds no good record (1 bad: rows.csv, row 2, column label: no value)"


def test_each_empty_half_is_said_with_its_own_bad_records() -> None:
    problems = Problems()
    for split in ("train", "eval"):
        for row in range(2, 9):
            problems.see(split, f"{split}.csv", row, "label", "no value", False)
    splits = {"train": SplitCount(0, 7), "eval": SplitCount(0, 7)}
    first, second = judge(splits, COLUMNS, (), Bounds(), problems, None, False)
    assert first.text.startswith("train holds no good record (7 bad: train.csv, row 2") and "eval.csv" not in first.text
    assert second.text.startswith("eval holds no good record (7 bad: eval.csv, row 2") and "train" not in second.text


def test_a_path_out_of_the_folder_is_the_first_thing_said() -> None:
    problems = Problems()
    problems.see("train", "train/metadata.csv", 3, "image", "a path out of the folder", True)
    splits = {"train": SplitCount(100), "eval": SplitCount(0)}
    first, _ = judge(splits, COLUMNS, (), Bounds(), problems, None, False)
    assert first.text.startswith("1 path out of the data folder:\n      train/metadata.csv, row 3, column image")


def test_classes_are_those_of_labels_and_of_boxes() -> None:
    columns = {"text": Text(), "label": Label(), "things": Boxes()}
    features = {"text": b"x", "label": "café".encode(), "things": [0.0] * 8, "things_label": [b"cup", b"cup"]}
    assert list(classes_of(features, columns)) == [("label", "café"), ("things", "cup"), ("things", "cup")]


def test_a_refusal_lists_each_finding_and_each_remedy_once() -> None:
    error = refusal([Finding("one", "mend"), Finding("two", "mend"), Finding("three", "allow")])
    assert error.message == "the data is not fit to train on:\n  - one\n  - two\n  - three"
    assert error.fix == "mend\n     allow" and error.exit_code == 4
