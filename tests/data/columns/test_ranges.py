"""Sweeps of a lidar, and what stands in for a sensor that a car has not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from data.columns import UNKNOWN, Number, Ranges, Recorded, encode_row
from data.errors import BadValue

SWEEP = Ranges(beams=4, farthest=50)


@pytest.mark.parametrize(
    ("given", "encoded"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ("1, 2 3,4", [1, 2, 3, 4]),
        ("[1, 2, 3, 400]", [1, 2, 3, 50]),
        ([9, 1, 8, 2, 7, 3, 6, 4], [1, 2, 3, 4]),  # the nearest in each sector
        ([1, 4], [1, 2, 3, 4]),
        ([7], [7, 7, 7, 7]),
        ([1, math.inf, math.nan, None], [1, 50, 50, 50]),
        ("1 inf nan NaN", [1, 50, 50, 50]),
        (UNKNOWN, [0, 0, 0, 0]),
    ],
)
def test_any_number_of_distances(given: Any, encoded: list[float]) -> None:
    assert SWEEP.encode("lidar", given)["lidar"] == pytest.approx(encoded)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "no distances"),
        ([1, -1, 2], "-1 is no distance"),
        ([0, 0, 0], "every distance is 0"),
        ([1, "near"], "expected distances, got 'near'"),
        ("far away", "expected distances"),
        (3, "expected a list"),
    ],
)
def test_what_is_no_sweep_is_named(given: Any, words: str) -> None:
    with pytest.raises(BadValue, match=words):
        SWEEP.encode("lidar", given)


COLUMNS = {
    "level": Number(),
    "lidar": Recorded(kind=SWEEP, default=UNKNOWN),
    "speed": Recorded(kind=Number(minimum=-1), default=-1.0),
}


def test_a_record_that_lacks_a_sensor_has_its_default_and_one_that_has_it_does_not() -> None:
    def row(**values: Any) -> dict[str, Any]:
        return encode_row(COLUMNS, {"level": 1, **values}, lambda *_: b"")

    assert row() == {"level": 1.0, "lidar": [0.0] * 4, "speed": -1.0}
    assert row(lidar="", speed=math.nan) == row()
    assert row(lidar=[1, 2, 3, 4], speed="3.5") == {"level": 1.0, "lidar": [1.0, 2.0, 3.0, 4.0], "speed": 3.5}
    with pytest.raises(BadValue, match="speed: expected a finite number"):
        row(speed="fast")


def test_a_missing_sweep_is_remarked_on() -> None:
    column = COLUMNS["lidar"]
    assert column.remarks("lidar", {"lidar": [0.0] * 4}) and not column.remarks("lidar", {"lidar": [1.0] * 4})


def test_a_person_need_not_give_it() -> None:
    assert COLUMNS["lidar"].form().default == UNKNOWN
    assert COLUMNS["lidar"].default_features("lidar") == {"lidar": [0.0] * 4}
