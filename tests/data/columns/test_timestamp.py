"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from data.columns import Timestamp
from data.errors import BadValue

NEW_YEAR = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-01",
        "20240101",
        20240101,
        20240101.0,
        "2024-01",
        "2024/1/1",
        "2024.01.01",
        "2024Q1",
        "2024-Q1",
        "2024",
        2024,
        "2024-01-01T01:00:00+01:00",
        "20240101T000000",
        20240101000000,
        date(2024, 1, 1),
        datetime(2024, 1, 1),
        NEW_YEAR,
        NEW_YEAR * 1000,
        NEW_YEAR * 1_000_000,
        NEW_YEAR * 1_000_000_000,
    ],
)
def test_one_moment_in_many_forms(written: Any) -> None:
    assert Timestamp().encode("time", written)["time"] == NEW_YEAR


@pytest.mark.parametrize("written", ["", "yesterday", "31.01.2024", "2024-13", "2024-01-32", "2024Q5", True, None])
def test_what_is_no_time_is_refused(written: Any) -> None:
    with pytest.raises(BadValue, match="expected a time such as"):
        Timestamp().encode("time", written)
