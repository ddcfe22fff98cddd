"""Udacity's driving_log.csv: three cameras, paths of another machine, with and without a header."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from data.columns import UNKNOWN, Identifier, Image, Label, Number, Ranges, Recorded
from data.errors import DataRefused
from data.folders.folder import DataFolder
from data.folders.layouts.driving_log import FIELDS, ROWS_BEFORE, STRETCHES, VIEWS

COLUMNS = {
    "camera": Image(),
    "lidar": Recorded(kind=Ranges(beams=3, farthest=9), default=UNKNOWN),
    "speed": Recorded(kind=Number(minimum=-1), default=-1.0),
    "steering": Number(minimum=-1, maximum=1),
    "throttle": Number(minimum=0, maximum=1, optional=True),
    "brake": Number(minimum=0, maximum=1, optional=True),
    "last_steering": Number(minimum=-1, maximum=1, optional=True),
    "view": Label(classes=VIEWS, open=True, optional=True),
    "episode": Identifier(optional=True),
}
HEADER = ",".join(FIELDS) + "\n"


def jpeg(shade: int) -> bytes:
    stream = io.BytesIO()
    Pillow.new("RGB", (8, 4), (shade, shade, shade)).save(stream, "JPEG")
    return stream.getvalue()


def row(number: int, prefix: str = "", steering: Any = None) -> str:
    pictures = ", ".join(f"{prefix}{view}_{number:03}.jpg" for view in VIEWS)
    return f"{pictures}, {number / 1000 if steering is None else steering}, 0.5, 0, 30.1\n"


def log(folder: Path, text: str, rows: int, pictures: str = "IMG") -> Path:
    (folder / pictures).mkdir(parents=True)
    (folder / "driving_log.csv").write_text(text, encoding="utf-8")
    for number in range(rows):
        for view in VIEWS:
            (folder / pictures / f"{view}_{number:03}.jpg").write_bytes(jpeg(number))
    return folder


def records(folder: Path, split: str = "all") -> list[Any]:
    return list(DataFolder(folder, COLUMNS, split_by="episode").records(split))


@pytest.mark.parametrize("header", ["", HEADER, HEADER.replace(",", ", ").title()])
@pytest.mark.parametrize("prefix", ["", "IMG/", "/home/ann/run 1/IMG/", "C:\\Users\\Ann\\IMG\\"])
def test_each_camera_of_a_row_is_a_record(tmp_path: Path, header: str, prefix: str) -> None:
    found = records(log(tmp_path, header + "".join(row(n, prefix) for n in range(10)), 10))
    assert len(found) == 30 and not any(one.problem for one in found)
    features = [one.features for one in found]
    assert {one["view"] for one in features} == {b"center", b"left", b"right"}
    first = [one for one in features if one["steering"] == 0]
    assert len(first) == 3 and all((one["throttle"], one["brake"]) == (0.5, 0.0) for one in first)
    assert all(one["speed"] == 30.1 and one["lidar"] == [0.0] * 3 for one in features)


def test_rows_beside_each_other_stay_on_one_side(tmp_path: Path) -> None:
    rows = 10 * STRETCHES
    found = records(log(tmp_path, "".join(map(row, range(rows))), rows))
    sides: dict[bytes, set[str]] = {}
    for one in found:
        sides.setdefault(one.features["episode"], set()).add(one.split)
    assert len(sides) == STRETCHES and all(len(side) == 1 for side in sides.values())
    assert {"train"} in sides.values() and {"eval"} in sides.values()


def test_the_last_action_is_known_of_the_center_camera_alone(tmp_path: Path) -> None:
    rows = 10 * STRETCHES
    found = [one.features for one in records(log(tmp_path, "".join(map(row, range(rows))), rows))]
    known = [one for one in found if "last_steering" in one]
    assert {one["view"] for one in known} == {b"center"} and len(known) == (10 - ROWS_BEFORE) * STRETCHES
    assert all(one["steering"] - one["last_steering"] == pytest.approx(ROWS_BEFORE / 1000) for one in known)


def test_several_recordings_and_a_split_of_its_own(tmp_path: Path) -> None:
    for name in ("track one", "track two"):
        log(tmp_path / "several" / name, "".join(map(row, range(5))), 5)
    assert len(records(tmp_path / "several")) == 30
    for name in ("train", "eval"):
        log(tmp_path / "split" / name, HEADER + "".join(map(row, range(5))), 5)
    assert [len(records(tmp_path / "split", split)) for split in ("train", "eval")] == [15, 15]


def test_it_says_that_there_is_no_lidar(tmp_path: Path) -> None:
    folder = DataFolder(log(tmp_path, "".join(map(row, range(5))), 5), COLUMNS)
    assert "cameras center, left, right" in folder.layout and "no lidar" in folder.layout


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(99), "no such file"),
        (row(0, steering="left"), "expected a finite number"),
        (row(0, steering=1.5), "out of bounds"),
        (row(0).replace(", 30.1", ""), "6 fields; the header has 7"),
        (" , , , 0.1, 0.5, 0, 30\n", "names no picture"),
        (row(0, "../../outside/../"), ""),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, line: str, reason: str) -> None:
    found = records(log(tmp_path, HEADER + row(1) + line, 3))
    bad = [one for one in found if one.problem]
    if not reason:  # the last part of a path alone counts, and that is there
        assert not bad
    assert all(reason in one.problem.reason and (one.file, one.row) == ("driving_log.csv", 3) for one in bad)
    assert bool(bad) == bool(reason)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("middle,left,right,angle\n", "lacks the columns center and steering"),
        ("center,left,right,angle\n", "lacks the columns center and steering"),
        ("a.jpg,b.jpg,c.jpg,0.1,0.2\n", "has no header and 5 columns"),
        ("", "the table is empty"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataRefused, match=words):
        records(log(tmp_path, text, 1))
