"""Each kind of column takes what it should, refuses the rest in words, and declares what it gives."""

import io
import json
import warnings
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from data.columns import (
    Audio,
    Boxes,
    FormField,
    Identifier,
    Image,
    Integer,
    Label,
    Number,
    Seed,
    Text,
    Window,
    raw_features,
)
from data.errors import BadValue, WrongUse


def picture(mode="RGB", kind="PNG", size=(7, 5), **options):
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Pillow.fromarray(noise).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind", "options", "channels"),
    [
        ("L", "PNG", {}, 1),
        ("1", "PNG", {}, 1),
        ("RGB", "PNG", {}, 3),
        ("RGBA", "PNG", {}, 4),
        ("P", "PNG", {}, 3),
        ("P", "PNG", {"transparency": 1}, 4),
        ("L", "JPEG", {}, 1),
        ("RGB", "JPEG", {}, 3),
        ("CMYK", "JPEG", {}, 3),
        ("RGB", "MPO", {}, 3),
    ],
)
def test_image_keeps_the_bytes_and_derives_what_tensorflow_will_decode(mode, kind, options, channels):
    content = picture(mode, kind, **options)
    expected = {"i": content, "i_width": 7, "i_height": 5, "i_channels": channels, "i_bytes": len(content)}
    assert Image().encode("i", content) == expected
    assert set(expected) == set(Image().features("i"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000"])
def test_image_refuses_a_picture_cut_off_anywhere(kind):
    content = picture("RGB", kind)
    padding = 3 if kind == "BMP" else 0  # after a row of 7 pixels
    for length in range(len(content) - padding):
        with pytest.raises(BadValue):
            Image().encode("i", content[:length])


def test_image_refuses_a_changed_byte_in_a_png():
    content = picture("L")
    for place in range(8, len(content) - 12):
        with pytest.raises(BadValue):
            Image().encode("i", content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"just a text", "not a picture in a known format"),
        (picture("RGB", "PCX"), "a PCX picture; convert"),
        (picture(size=(3, 7)), "3x7 pixels; each side must be 4 to 9"),
        (picture(size=(7, 12)), "7x12 pixels"),
    ],
)
def test_image_says_why_not(content, reason):
    with pytest.raises(BadValue, match=reason):
        Image(min_size=4, max_size=9).encode("i", content)


def test_image_that_claims_too_many_pixels_is_refused_before_it_is_decoded():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bomb = bytearray(picture("1", "BMP"))
        bomb[18:26] = (60_000).to_bytes(4, "little") * 2
        with pytest.raises(BadValue, match="too many pixels"):
            Image(max_size=100_000).encode("i", bytes(bomb))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF89a"]))
def test_image_never_fails_in_any_other_way(rest, start):
    with pytest.raises(BadValue):
        Image().encode("i", start + rest)


def test_text_counts_characters_and_stores_utf8():
    assert Text().encode("t", "añ") == {"t": "añ".encode(), "t_characters": 2}


@pytest.mark.parametrize("value", ["", "abcd", 3, None, b"ab", "\udcff", ["a"]])
def test_text_refuses(value):
    with pytest.raises(BadValue):
        Text(max_characters=3).encode("t", value)


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3), ("3", 3), (" -3 ", -3), ("3.0", 3), (3.0, 3), (Decimal(3), 3), (np.int64(3), 3)]
)
def test_integer_takes(value, number):
    assert Integer().encode("n", value) == {"n": number}


@pytest.mark.parametrize(
    "value", [True, "3.5", 3.5, Decimal("3.5"), "1_0", "", "x", None, b"3", float("inf"), float("nan"), 10**30, [3]]
)
def test_integer_refuses(value):
    with pytest.raises(BadValue):
        Integer().encode("n", value)


def test_integer_says_its_bounds():
    with pytest.raises(BadValue, match="11 is out of bounds; must be 0 to 10"):
        Integer(minimum=0, maximum=10).encode("n", "11")


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3.0), ("1e-3", 0.001), (Decimal("0.5"), 0.5), (np.float32(0.5), 0.5)]
)
def test_number_takes(value, number):
    assert Number().encode("x", value) == {"x": number}


@pytest.mark.parametrize("value", [True, "nan", "inf", "1_0", "x", None, b"1", 10**400, 1e39, [1.0]])
def test_number_refuses(value):
    with pytest.raises(BadValue):
        Number().encode("x", value)


@pytest.mark.parametrize(("value", "label"), [("cat", "cat"), (" cat ", "cat"), (7, "7"), ("e\u0301", "\u00e9")])
def test_label_takes_one_spelling_of_a_name(value, label):
    assert Label().encode("y", value) == {"y": label.encode()}


@pytest.mark.parametrize("value", [True, "", "  ", None, 1.5, "a\nb", "a\u2028b", "\udcff"])
def test_label_refuses(value):
    with pytest.raises(BadValue):
        Label().encode("y", value)


def test_label_of_a_closed_set_names_the_known_ones():
    with pytest.raises(BadValue, match="unknown class 'cow'; known: cat, dog"):
        Label(classes=("cat", "dog")).encode("y", "cow")


@pytest.mark.parametrize(
    "value",
    [
        [{"bbox": [1, 2, 3, 4], "label": "cup"}, {"bbox": ["5", 6, 7, 8.5], "label": 9, "more": None}],
        {"bbox": [[1, 2, 3, 4], [5, 6, 7, 8.5]], "categories": ["cup", 9]},
        '[{"bbox": [1, 2, 3, 4], "label": "cup"}, {"bbox": [5, 6, 7, 8.5], "label": "9"}]',
    ],
)
def test_boxes_take_either_form_and_its_json(value):
    assert Boxes().encode("b", value) == {
        "b": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.5],
        "b_label": [b"cup", b"9"],
        "b_count": 2,
    }
    assert Boxes().encode("b", []) == {"b": [], "b_label": [], "b_count": 0}


@pytest.mark.parametrize(
    "bbox",
    [[1, 2, 3], [1, 2, 0, 4], [1, 2, 3, -4], [1, 2, 3, "nan"], [float("inf"), 2, 3, 4], [1, 2, True, 4], None, "1"],
)
def test_a_box_without_area_or_finite_numbers_is_refused_by_its_place(bbox):
    with pytest.raises(BadValue, match="^box 2: expected"):
        Boxes().encode("b", [{"bbox": [1, 2, 3, 4], "label": "x"}, {"bbox": bbox, "label": "x"}])


@pytest.mark.parametrize(
    "value", [7, "cup", "[", None, [3], [{"bbox": [1, 2, 3, 4]}], {"bbox": [[1, 2, 3, 4]], "label": []}, {"label": []}]
)
def test_boxes_refuse(value):
    with pytest.raises(BadValue):
        Boxes().encode("b", value)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ([0, 0, 20, 10], [0, 0, 20, 10]),
        ([-1, -0.5, 5, 5], [0, 0, 4, 4.5]),
        ([18, 8, 3, 2.01], [18, 8, 2, 2]),
        ([0, 0, 21.01, 10], None),
        ([-1.01, 0, 5, 5], None),
        ([20, 3, 0.5, 1], None),
        ([640, 480, 30, 40], None),
    ],
)
def test_a_box_that_sticks_out_by_a_pixel_is_clipped_and_by_more_refused(box, inside):
    if inside:
        assert Boxes().clipped([1, 1, 2, 2, *box], 20, 10) == [1, 1, 2, 2, *inside]
    else:
        with pytest.raises(BadValue, match="^box 2 of .* out of its picture of 20x10"):
            Boxes().clipped([1, 1, 2, 2, *box], 20, 10)


def test_missing_means_absent_null_empty_or_not_a_number():
    assert [Number().is_missing(value) for value in (None, "", float("nan"), 0, "0", False)] == [True] * 3 + [False] * 3
    assert not Text(min_characters=0).is_missing("")


def test_an_optional_column_makes_all_its_features_optional():
    columns = {
        "i": Image(optional=True),
        "t": Text(optional=True),
        "n": Integer(optional=True),
        "y": Label(optional=True),
    }
    features = raw_features(columns)
    assert all(feature.optional for feature in features.values())
    assert list(features)[:2] == ["i", "i_width"]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3))
def test_whatever_json_holds_is_taken_or_refused_in_words(value):
    value = json.loads(json.dumps(value))
    for column in (Text(), Integer(), Number(), Label()):
        try:
            features = column.encode("c", value)
        except BadValue as refusal:
            assert str(refusal)
        else:
            assert set(features) == set(column.features("c"))


@pytest.mark.parametrize(
    ("column", "asked"),
    [
        (Image(), FormField(kind="file", suffixes=Image.suffixes)),
        (Audio(), FormField(kind="file", suffixes=Audio.suffixes, recordable=True)),
        (Text(), FormField(kind="text", multiline=True)),
        (Identifier(), FormField(kind="text")),
        (Label(), FormField(kind="text")),
        (Label(classes=("a", "b")), FormField(kind="choice", choices=("a", "b"))),
        (Integer(), FormField(kind="number", step=1)),
        (Integer(minimum=1, maximum=9), FormField(kind="number", step=1, minimum=1, maximum=9)),
        (Number(minimum=0.0), FormField(kind="number", minimum=0.0)),
        (Seed(), FormField(kind="number", step=1)),
        (Window(steps=3), FormField(kind="table")),
    ],
)
def test_a_kind_says_how_a_form_asks_for_it(column, asked):
    assert column.form() == asked


def test_columns_whose_features_would_overwrite_each_other_are_refused():
    with pytest.raises(WrongUse, match="'image' and 'image_width' both give a feature called 'image_width'"):
        raw_features({"image": Image(), "image_width": Integer()})
