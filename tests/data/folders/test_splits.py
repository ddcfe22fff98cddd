"""How an unsplit folder is split: by its column as well as that can be, and in words."""

from __future__ import annotations

from collections import Counter

import pytest

from data.columns import Identifier, Integer, Text, Timestamp
from data.errors import DataRefused, WrongUse
from data.folders.folder import DataFolder

RATINGS = {"user": Identifier(), "stars": Integer(), "time": Timestamp(optional=True), "title": Text(optional=True)}


def ratings(folder, times, users=None):
    users = users or [f"u{n}" for n in range(len(times))]
    rows = [f"{user},{n},{time}" for n, (user, time) in enumerate(zip(users, times, strict=True))]
    (folder / "ratings.csv").write_text("\n".join(["user,stars,time", *rows]) + "\n")
    return folder


def sides(folder, split_by):
    """The words of the split, and how many records each side has."""
    data = DataFolder(folder, RATINGS, split_by)
    shards = [record.split for n in range(3) for record in data.records("all", n, 3)]
    whole = Counter(record.split for record in data.records("all"))
    assert Counter(shards) == whole
    return data.layout.removeprefix("CSV rows, "), whole


def test_the_last_fifth_of_the_times_is_for_evaluation(tmp_path):
    words, counts = sides(ratings(tmp_path, range(100)), "time")
    assert words == "the last fifth by time for evaluation"
    assert counts == {"train": 80, "eval": 20}


def test_of_days_the_last_ones_that_come_nearest_to_a_fifth(tmp_path):
    """The day in which the last fifth begins holds most records: it stays in train."""
    words, counts = sides(ratings(tmp_path, ["2026-01-01"] * 10 + ["2026-01-02"] * 75 + ["2026-01-03"] * 15), "time")
    assert words == "the last 15% by time for evaluation"
    assert counts == {"train": 85, "eval": 15}


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (["2026-01-01"] * 50, "since time has one time only"),
        ([""] * 50, "since time is not there"),
        (["2026-01-01"] + ["2026-01-02"] * 99, "since time is the same in 99% of the records"),
    ],
)
def test_times_that_cannot_split_leave_it_to_the_content(tmp_path, times, reason):
    words, counts = sides(ratings(tmp_path, times), "time")
    assert words == f"split 80/20 by content, {reason}"
    assert 0.1 < counts["eval"] / counts.total() < 0.3


def test_few_groups_give_about_a_fifth_and_stay_together(tmp_path):
    for count in range(2, 12):
        users = [f"u{n % count}" for n in range(120)]
        _, counts = sides(ratings(tmp_path, range(120), users), "user")
        assert 0.08 <= counts["eval"] / 120 <= max(0.3, 1 / count)
        seen = {
            (record.split, record.features["user"]) for record in DataFolder(tmp_path, RATINGS, "user").records("all")
        }
        assert len(seen) == count


def test_one_large_group_is_trained_on(tmp_path):
    users = ["most"] * 90 + ["few"] * 10
    words, counts = sides(ratings(tmp_path, range(100), users), "user")
    assert counts == {"train": 90, "eval": 10}
    assert "user" in words


def test_one_group_leaves_it_to_the_content(tmp_path):
    words, counts = sides(ratings(tmp_path, range(40), ["one"] * 40), "user")
    assert words == "split 80/20 by content, since user has one value only"
    assert counts["eval"] > 3


@pytest.mark.parametrize("count", range(2, 25))
def test_few_records_leave_no_side_empty(tmp_path, count):
    _, counts = sides(ratings(tmp_path, range(count)), None)
    assert counts["train"] >= counts["eval"] > 0


def test_a_person_may_say_by_what(tmp_path):
    ratings(tmp_path, range(100))
    assert sides(tmp_path, "content")[0] == "split 80/20 by content"
    with pytest.raises(WrongUse, match="'usr' is no column to split a folder by") as refusal:
        DataFolder(tmp_path, RATINGS, "usr")
    assert refusal.value.fix == "Give one of user, stars, time, title, content."


def test_optional_columns_are_not_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text("user\na\n")
    with pytest.raises(DataRefused) as refusal:
        DataFolder(tmp_path, RATINGS, "time")
    assert refusal.value.fix == "The table needs the columns user, stars; it may have time, title."
