"""Masks in colours, indexed and grey to the numbers of classes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from data.errors import BadValue
from data.media import masks
from data.media.palettes import voc_palette

NUMBERS = np.array([[0, 1, 1], [2, 0, 255]], np.uint8)
OWN = {(10, 20, 30): 0, (40, 50, 60): 1}


def png(pixels: Any, mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Pillow.Image) else Pillow.fromarray(pixels, mode)).save(stream, "PNG")
    return stream.getvalue()


def test_colours_are_those_of_voc_where_none_are_given() -> None:
    found, note = masks.numbers_of(png(voc_palette()[NUMBERS]), {})
    assert found.tolist() == NUMBERS.tolist() and note == ""


def test_an_opaque_alpha_channel_is_no_matter_and_another_is_refused() -> None:
    opaque = np.dstack([voc_palette()[NUMBERS], np.full((2, 3), 255, np.uint8)])
    assert masks.numbers_of(png(opaque), {})[0].tolist() == NUMBERS.tolist()
    opaque[0, 0, 3] = 7
    with pytest.raises(BadValue, match="transparent in places"):
        masks.numbers_of(png(opaque), {})


def test_own_colours_are_read_and_voc_s_void_is_void() -> None:
    pixels = np.array([[(10, 20, 30), (40, 50, 60), (224, 224, 192)]], np.uint8)
    assert masks.numbers_of(png(pixels), OWN)[0].tolist() == [[0, 1, 255]]


def test_an_unknown_colour_is_named_with_its_pixel() -> None:
    pixels = np.tile(np.array([10, 20, 30], np.uint8), (3, 4, 1))
    pixels[1, 2] = 99, 98, 97
    with pytest.raises(BadValue, match=r"the pixel at x 2, y 1 has the colour \(99, 98, 97\), of no class"):
        masks.numbers_of(png(pixels), OWN)


def test_an_indexed_mask_holds_numbers_unless_its_colours_are_the_folder_s_own() -> None:
    picture = Pillow.fromarray(np.array([[1, 0]], np.uint8), "P")
    picture.putpalette([40, 50, 60, 10, 20, 30])
    assert masks.numbers_of(png(picture), {})[0].tolist() == [[1, 0]]
    assert masks.numbers_of(png(picture), OWN)[0].tolist() == [[0, 1]]
    picture.putpalette([40, 50, 60, 1, 2, 3])
    assert masks.numbers_of(png(picture), OWN)[0].tolist() == [[1, 0]]


def test_black_and_white_is_two_classes_and_said() -> None:
    white = np.array([[0, 255], [255, 0]], np.uint8)
    found, note = masks.numbers_of(png(white), {})
    assert found.tolist() == [[0, 1], [1, 0]] and note == masks.WHITE_IS_1
    assert masks.numbers_of(png(NUMBERS), {})[0].tolist() == NUMBERS.tolist()
    assert masks.numbers_of(png(white), {}, void=None)[0].tolist() == white.tolist()
