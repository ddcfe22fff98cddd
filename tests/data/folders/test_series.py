"""Tables of measurements under their owner's names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.columns import Ahead, Companions, SeriesName, Timestamp, Window
from data.errors import DataRefused
from data.folders.folder import DataFolder, Record

COLUMNS = {
    "series": SeriesName(),
    "time": Timestamp(),
    "value": Window(steps=3),
    "others": Companions(steps=3, width=2),
    "next_value": Ahead(of="value"),
}


def folder_of(place: Path, text: str, names: Mapping[str, list[str]] | None = None) -> DataFolder:
    place.mkdir(exist_ok=True)
    (place / "rows.csv").write_text(text)
    return DataFolder(place, COLUMNS, "time", names)


def read(folder: DataFolder) -> list[Record]:
    return list(folder.records("all"))


def rows(header: str, *cells: str) -> str:
    return "\n".join([header, *cells, ""])


def days(count: int, first: str = "2024-01-01") -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(day)) for day in range(count)]


def test_columns_are_found_under_the_users_own_names(tmp_path: Path) -> None:
    cells = [f"{shop},{day},{i},{2 * i},{-i}" for i, day in enumerate(days(20)) for shop in ("a", "b")]
    folder = folder_of(tmp_path, rows("shop,day,value,price,stock", *cells))
    assert folder.names == {"series": ("shop",), "time": ("day",), "value": ("value",), "others": ("price", "stock")}
    first = read(folder)[0].features or {}
    assert first["series"] == b"a" and first["value"] == [0.0, 1.0, 2.0] and first["next_value"] == 3.0
    assert first["others"] == [0.0, 0.0, 2.0, -1.0, 4.0, -2.0]
    assert "continued is value" in folder.layout and "beside it: price, stock" in folder.layout


def test_fewer_companions_than_there_is_room_for_are_filled_up_and_more_are_named_as_not_read(tmp_path: Path) -> None:
    cells = [f"{day},{i},1,2,3" for i, day in enumerate(days(20))]
    folder = folder_of(tmp_path, rows("day,value,p,q,r", *cells))
    assert folder.names["others"] == ("p", "q") and "not read: r" in folder.layout
    alone = folder_of(tmp_path / "alone", rows("day,sales", *(f"{day},{i}" for i, day in enumerate(days(20)))))
    assert (read(alone)[0].features or {})["others"] == [0.0] * 6


def test_a_table_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    folder_of(tmp_path, rows("day,sales", *(f"{day},{i}" for i, day in enumerate(days(20)))))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/rows.csv").symlink_to(tmp_path / "rows.csv")
    with pytest.raises(DataRefused, match="leads out of"):
        DataFolder(tmp_path / "inner", COLUMNS, "time")


def test_a_value_alone_is_enough(tmp_path: Path) -> None:
    found = read(folder_of(tmp_path, rows("reading", *map(str, range(40)))))
    assert len(found) == 40 - 3 and not any(record.problem for record in found)
    assert {(record.features or {})["time_hour"] for record in found} == {0}


def test_a_value_that_is_not_plain_is_asked_for_and_can_be_named(tmp_path: Path) -> None:
    text = rows("day,open,close", *(f"{day},{i},{-i}" for i, day in enumerate(days(20))))
    with pytest.raises(DataRefused, match="open, close") as refused:
        folder_of(tmp_path, text)
    assert "--set target=" in refused.value.fix
    folder = folder_of(tmp_path, text, {"value": ["close"]})
    assert (read(folder)[0].features or {})["value"] == [0.0, -1.0, -2.0] and folder.names["others"] == ("open",)


def test_a_name_that_the_table_lacks_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="lacks the column sales; it has day, count"):
        folder_of(tmp_path, rows("day,count", *(f"{day},1" for day in days(9))), {"value": ["sales"]})


def test_series_that_only_a_number_names_are_asked_for(tmp_path: Path) -> None:
    text = rows("store,day,value", *(f"{store},{day},1" for day in days(20) for store in (1, 2, 3)))
    with pytest.raises(DataRefused, match="most rows have the day of another row") as refused:
        folder_of(tmp_path, text)
    assert "--set series=NAME" in refused.value.fix
    folder = folder_of(tmp_path, text, {"series": ["store"]})
    assert {(record.features or {})["series"] for record in read(folder)} == {b"1", b"2", b"3"}


def test_a_remark_that_is_another_in_each_row_names_no_series(tmp_path: Path) -> None:
    text = rows("day,value,remark", *(f"{day},{i},note number {i}" for i, day in enumerate(days(20))))
    assert folder_of(tmp_path, text).names["series"] == ()


def test_eval_is_read_as_train_is(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(rows("day,value,p,q", *(f"{day},{i},1,2" for i, day in enumerate(days(20)))))
    (tmp_path / "eval.csv").write_text(rows("day,q,value,p", *(f"{day},2,{i},1" for i, day in enumerate(days(9)))))
    folder = DataFolder(tmp_path, COLUMNS, "time")
    first = next(iter(folder.records("eval"))).features or {}
    assert first["others"] == [1.0, 2.0] * 3
    (tmp_path / "eval.csv").write_text(rows("day,value,p", *(f"{day},{i},1" for i, day in enumerate(days(9)))))
    with pytest.raises(DataRefused, match="lacks the column q"):
        DataFolder(tmp_path, COLUMNS, "time")


def working_days() -> list[str]:
    return [day for day in days(60) if date.fromisoformat(day).weekday() < 5 and day != "2024-01-15"]  # a holiday


CALENDARS = {
    "working days": working_days(),
    "months": [f"{2015 + month // 12}-{month % 12 + 1:02}" for month in range(40)],
    "ends of months": [
        str(date(2015 + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(1)) for month in range(40)
    ],
    "quarters": [f"{2000 + quarter // 4}Q{quarter % 4 + 1}" for quarter in range(40)],
    "years": [str(year) for year in range(1950, 1990)],
    "compact days": [day.replace("-", "") for day in days(40)],
}


@pytest.mark.parametrize("times", CALENDARS.values(), ids=CALENDARS.keys())
def test_calendar_steps_leave_no_gap(tmp_path: Path, times: list[str]) -> None:
    found = read(folder_of(tmp_path, rows("time,value", *(f"{time},{i}" for i, time in enumerate(times)))))
    assert not any(record.problem for record in found)
    assert len(found) == len(times) - 3


def test_dates_of_parquet_are_times(tmp_path: Path) -> None:
    moments = pa.array([date.fromisoformat(day) for day in days(40)], pa.date32())
    pq.write_table(pa.table({"day": moments, "value": [float(i) for i in range(40)]}), tmp_path / "rows.parquet")
    found = read(DataFolder(tmp_path, COLUMNS, "time"))
    assert len(found) == 40 - 3 and not any(record.problem for record in found)
    assert (found[0].features or {})["time"] == 1_704_067_200 + 2 * 86_400


def test_a_missing_month_is_a_gap(tmp_path: Path) -> None:
    months = [month for month in CALENDARS["months"] if month != "2016-06"]
    found = read(folder_of(tmp_path, rows("time,value", *(f"{time},{i}" for i, time in enumerate(months)))))
    assert len(found) == len(months) - 2 * 3
