"""Values as a person reads them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trainer.preview.wording import as_cell, as_text, number


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1234567, "1,234,567"),
        (3.0, "3"),
        (0.123456, "0.1235"),
        (-1234.56, "-1235"),
        (1e-9, "1e-09"),
        (1e300, "1e+300"),
        (0, "0"),
        (True, "–"),
        (None, "–"),
        ("3", "–"),
        (math.nan, "–"),
        (-math.inf, "–"),
    ],
)
def test_a_number_has_four_digits_or_is_whole(value: Any, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.123456, "0.1235"),
        (7, "7"),
        (None, ""),
        ("a cat", "a cat"),
        ([0.5, None, "x"], "0.5, x"),
        (list(range(11)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"),
        ([], ""),
    ],
)
def test_a_cell_holds_what_fits_into_it(value: Any, said: str) -> None:
    assert as_cell(value) == said


def test_texts_come_as_bytes() -> None:
    assert (as_text("Wört".encode()), as_text(3)) == ("Wört", "3")
