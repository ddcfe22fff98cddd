"""COCO's polygons and run lengths to masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.errors import BadValue
from data.media.outlines import Outline, Outlines, compact

SQUARE = [[1, 1, 4, 1, 4, 3, 1, 3]]
"""The pixels of columns 1 to 3 and rows 1 and 2."""
RUNS = {"size": [4, 6], "counts": [5, 2, 2, 2, 2, 2, 9]}
TEXT = {"size": [4, 6], "counts": "5220007"}
"""As `maskApi.c` writes RUNS."""


def mask(*objects: Outline, size: tuple[int, int] | None = (6, 4)) -> list[list[int]]:
    found: list[list[int]] = Outlines(size, objects, {}).mask().tolist()
    return found


def square(number: int = 1) -> np.ndarray[Any, Any]:
    expected = np.zeros((4, 6), int)
    expected[1:3, 1:4] = number
    return expected


@pytest.mark.parametrize("segmentation", [SQUARE, RUNS, TEXT])
def test_polygons_and_run_lengths_cover_the_same_pixels(segmentation: Any) -> None:
    assert mask(Outline(3, compact(segmentation))) == square(3).tolist()


def test_run_lengths_of_text_reach_large_numbers() -> None:
    """70 = 0b10_00110: two characters, the lower five bits first, with a sign for more."""
    text = chr(48 + 0b100110) + chr(48 + 0b00010) + chr(48 + 2)
    found = Outlines((8, 9), [Outline(1, compact({"size": [9, 8], "counts": text}))], {}).mask()
    assert np.argwhere(found).tolist() == [[7, 7], [8, 7]]


def test_the_smaller_lies_on_the_larger_and_a_crowd_is_void_below_all() -> None:
    everywhere = [[0, 0, 6, 0, 6, 4, 0, 4]]
    expected = square(1)
    expected[expected == 0] = 2
    large, small = Outline(2, compact(everywhere)), Outline(1, compact(SQUARE))
    assert mask(small, large) == mask(large, small) == expected.tolist()
    crowd = Outline(2, compact(everywhere), crowd=True)
    expected[expected == 2] = 255
    assert mask(small, crowd) == expected.tolist()


def test_parts_of_an_object_are_joined_and_what_is_outside_is_cut() -> None:
    found = mask(Outline(1, compact([*SQUARE, [5, 0, 9, 0, 9, 1, 5, 1]])))
    expected = square()
    expected[0, 5] = 1
    assert found == expected.tolist()


@pytest.mark.parametrize(
    ("segmentation", "word"),
    [
        ([[1, 1, 4, 1]], "three corners or more"),
        ([[1, 1, 4, 1, float("nan"), 3]], "all finite"),
        ({"size": [4, 5], "counts": [20]}, r"size \[4, 5\]; its picture has \[4, 6\]"),
        ({"size": [4, 6], "counts": [5, 2]}, "7 pixels in all; its picture has 24"),
    ],
)
def test_an_outline_that_is_none_says_why(segmentation: Any, word: str) -> None:
    with pytest.raises(BadValue, match=f"object 1: .*{word}"):
        mask(Outline(1, compact(segmentation)))


def test_what_has_no_form_of_coco_s_is_no_outline() -> None:
    assert [compact(wrong) for wrong in (None, [], [["a"]], "x", {"counts": 3}, {"counts": [-1]}, [[10**400]])] == [
        None
    ] * 7
    with pytest.raises(BadValue, match="lacks width and height"):
        mask(Outline(1, compact(SQUARE)), size=None)
