"""Pages of a long list."""

from __future__ import annotations

import pytest

from dashboard.paging import Long, in_pages


def of(rows: int, size: int = 15) -> Long:
    return Long(range(rows), list, size, "numbers")


@pytest.mark.parametrize(("rows", "pages"), [(0, 1), (1, 1), (15, 1), (16, 2), (30, 2), (31, 3)])
def test_every_row_is_on_one_page(rows: int, pages: int) -> None:
    long = of(rows)
    assert long.pages == pages
    assert [row for number in range(1, pages + 1) for row in long.page(number)] == list(range(rows))


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (2, 2), (3, 3), (4, 3), (10**9, 3)])
def test_a_page_that_is_not_there_is_the_nearest_one(asked: int, given: int) -> None:
    long = of(31)
    assert long.page(asked) == long.page(given) and long.told(asked) == long.told(given)


def test_what_is_shown_is_told() -> None:
    assert [of(1031).told(number) for number in (1, 2, 69)] == [
        "1 to 15 of 1,031",
        "16 to 30 of 1,031",
        "1,021 to 1,031 of 1,031",
    ]


def test_a_list_of_one_page_has_nothing_to_turn() -> None:
    assert in_pages("numbers", of(15)) == list(range(15))
    assert "Next page of numbers" in str(in_pages("numbers", of(16)))
