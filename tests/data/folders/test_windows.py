"""Windows over ordered tables: what becomes one, what does not, and on which side it falls."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image as Pillow

from data.columns import Ahead, Image, Number, SeriesName, Timestamp, Window, samples
from data.errors import WrongUse
from data.folders.check import check
from data.folders.folder import DataFolder, Record

COLUMNS = {
    "place": SeriesName(),
    "time": Timestamp(),
    "height": Window(steps=3),
    "next": Ahead(of="height", steps=2),
}


def records(folder: Path, rows: Iterable[tuple[str, int, object]], split: str = "all") -> list[Record]:
    folder.mkdir(exist_ok=True)
    lines = ["place,time,height", *(f"{place},{3600 * hour},{height}" for place, hour, height in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return list(DataFolder(folder, COLUMNS, split_by="time").records(split))


def good(found: list[Record], split: str) -> list[tuple[object, object, object]]:
    return [
        (r.features["place"], r.features["height"], r.features["next"])
        for r in found
        if r.features and r.split == split
    ]


def test_each_series_has_windows_of_its_own_though_rows_are_mixed(tmp_path: Path) -> None:
    rows = [(place, hour, base + hour) for hour in range(20) for place, base in (("a", 0), ("b", 100))]
    train = good(records(tmp_path, rows), "train")
    assert train[:2] == [(b"a", [0.0, 1.0, 2.0], 4.0), (b"b", [100.0, 101.0, 102.0], 104.0)]
    assert len(train) == 2 * (16 - 4)


def test_what_comes_next_in_the_last_fifth_of_time_is_for_evaluation(tmp_path: Path) -> None:
    found = records(tmp_path, [("a", hour, hour) for hour in range(50)])
    assert max(next_ for _, _, next_ in good(found, "train")) == 39.0
    assert [next_ for _, _, next_ in good(found, "eval")] == [float(hour) for hour in range(40, 50)]


def test_no_window_reaches_over_a_gap(tmp_path: Path) -> None:
    hours = [*range(10), *range(12, 40)]
    windows = [heights for _, heights, _ in good(records(tmp_path, [("a", hour, hour) for hour in hours]), "train")]
    assert all(heights == [heights[0], heights[0] + 1, heights[0] + 2] for heights in windows)
    assert not any(8 < heights[0] < 12 for heights in windows)


def test_a_bad_number_is_quarantined_and_makes_a_gap(tmp_path: Path) -> None:
    found = records(tmp_path, [("a", hour, "high" if hour == 10 else hour) for hour in range(30)])
    [bad] = [r for r in found if r.problem]
    assert (bad.row, bad.problem.column) == (12, "height")
    assert not any(10.0 in (*heights, following) for _, heights, following in good(found, "train"))


def test_rows_out_of_order_are_told(tmp_path: Path) -> None:
    hours = [*range(10), 5, *range(10, 20)]
    [bad] = [r for r in records(tmp_path, [("a", hour, hour) for hour in hours]) if r.problem]
    assert bad.row == 12
    assert "ascend in time" in bad.problem.reason


def test_rows_without_a_window_are_counted(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("place,time,height\n" + "".join(f"a,{60 * i},{i}\n" for i in range(20)))
    folder = DataFolder(tmp_path, COLUMNS, split_by="time")
    windows = len(list(folder.records("all")))
    assert windows + folder.without_window == 20
    assert "the last fifth by time" in folder.layout
    said = check(tmp_path, COLUMNS, split_by="time").text()
    assert f"{folder.without_window} more rows at the beginning or end of a series" in said


@pytest.mark.parametrize("shards", [2, 3])
def test_each_window_is_in_one_shard(tmp_path: Path, shards: int) -> None:
    whole = records(tmp_path, [("a", hour, hour) for hour in range(40)])
    folder = DataFolder(tmp_path, COLUMNS, split_by="time")
    parts = [r for shard in range(shards) for r in folder.records("all", shard, shards)]
    assert sorted(r.row or 0 for r in parts) == sorted(r.row or 0 for r in whole)


def test_whole_series_are_for_evaluation_where_the_series_splits(tmp_path: Path) -> None:
    records(tmp_path, [(f"p{n}", hour, hour) for n in range(10) for hour in range(20)])
    folder = DataFolder(tmp_path, COLUMNS, split_by="place")
    found = list(folder.records("all"))
    series = {split: {place for place, *_ in good(found, split)} for split in ("train", "eval")}
    assert len(series["train"] | series["eval"]) == 10 and not series["train"] & series["eval"]
    assert 1 <= len(series["eval"]) <= 3
    assert all(len(good(found, split)) == 16 * len(series[split]) for split in series)
    assert "by place" in folder.layout or "values of place" in folder.layout
    assert "the last fifth" not in folder.layout


def test_one_series_alone_is_split_by_its_time_and_that_is_said(tmp_path: Path) -> None:
    rows = [("a", hour, hour) for hour in range(50)]
    by_time = records(tmp_path, rows)
    folder = DataFolder(tmp_path, COLUMNS, split_by="place")
    assert list(folder.records("all")) == by_time
    assert "the last fifth by time for evaluation, since there is one place only" in folder.layout


@pytest.mark.parametrize("wanted", ["content", "height", "wind"])
def test_what_would_put_overlapping_windows_on_both_sides_is_refused(wanted: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("place,time,height,wind\n" + "".join(f"a,{60 * i},{i},1\n" for i in range(20)))
    with pytest.raises(WrongUse, match=f"'{wanted}' is no column to split a series, whose windows overlap, by") as told:
        DataFolder(tmp_path, {**COLUMNS, "wind": Number()}, split_by=wanted)
    assert told.value.fix == "Give one of time, place."


def test_windows_beside_pictures_keep_the_order_of_their_table(tmp_path: Path) -> None:
    """Pictures are read shuffled, but where windows are cut: a name of any label is a series, and its rows ascend."""
    columns = {"camera": Image(), "road": SeriesName(), "time": Timestamp(), "speed": Window(steps=4)}
    rows = [(road, hour, base + hour) for hour in range(40) for road, base in (("a", 0), ("b", 100))]
    lines = ["file_name,road,time,speed"]
    for road, hour, speed in rows:
        name = f"{road}{hour * 7919 % 97:02}.png"  # in no order of theirs
        (tmp_path / name).write_bytes(samples.png(np.full((2, 2, 3), speed, np.uint8)).content)
        lines.append(f"{name},{road},{3600 * hour},{speed}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    found = list(DataFolder(tmp_path, columns).records("all"))
    assert all(record.problem is None for record in found) and len(found) == 2 * (40 - 3)
    for record in found:
        speeds = cast(list[float], record.features["speed"])  # type: ignore[index]
        assert speeds == [speeds[0] + i for i in range(4)]
        with Pillow.open(io.BytesIO(cast(bytes, record.features["camera"]))) as picture:  # type: ignore[index]
            assert picture.getpixel((0, 0)) == (speeds[-1],) * 3, "the picture of its last row"
    last = [cast(list[float], record.features["speed"])[-1] for record in found]  # type: ignore[index]
    for road, base in (("a", 0), ("b", 100)):
        assert [speed for speed in last if speed // 100 == base // 100] == [base + hour for hour in range(3, 40)], road
    shards = [list(DataFolder(tmp_path, columns).records("all", shard, 3)) for shard in range(3)]
    assert sorted(r.row for shard in shards for r in shard) == sorted(r.row for r in found)
