"""A row becomes features in one way, and nothing outside `data` asks which kind a column is."""

import ast

import pytest

import data.columns
from data.columns import BadColumn, Boxes, Column, Image, Integer, Label, Seed, Text, encode_row, samples
from data.errors import BadFile, BadValue
from tests.kinds_asked import ROOT, asks, where_asked

KINDS = {name for name, kind in vars(data.columns).items() if isinstance(kind, type) and issubclass(kind, Column)} - {
    "Column"
}


def no_file(name, path):
    raise BadFile("there is no such file")


def test_nothing_outside_data_asks_which_kind_a_column_is():
    assert not list(where_asked(KINDS, but_in=ROOT / "data"))


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(c, Label)",
        "isinstance(c, (int, columns.Image))",
        "type(c) is Label",
        "match c:\n    case Text(): pass",
    ],
)
def test_the_search_for_kinds_finds_them(code):
    assert sum(asks(node, KINDS) for node in ast.walk(ast.parse(code))) == 1


def test_a_bad_value_names_its_column_and_a_missing_one_is_an_error_only_where_it_is_needed():
    columns = {"text": Text(), "stars": Integer(maximum=5, optional=True)}
    assert encode_row(columns, {"text": "a", "stars": ""}, no_file) == {"text": b"a", "text_characters": 1}
    for values, column, reason in [
        ({"stars": 1}, "text", "no value"),
        ({"text": "a", "stars": 6}, "stars", "out of bounds"),
        ({"text": BadValue("not valid UTF-8")}, "text", "not valid UTF-8"),
    ]:
        with pytest.raises(BadColumn, match=reason) as caught:
            encode_row(columns, values, no_file)
        assert caught.value.column == column


def test_a_path_out_of_the_folder_is_an_attack():
    def outside(name, path):
        raise BadFile("the path leaves its folder", attack=True)

    with pytest.raises(BadColumn, match="leaves its folder") as caught:
        encode_row({"image": Image()}, {"image": "../x.png"}, outside)
    assert caught.value.attack


def test_a_seed_is_derived_from_the_content_and_can_be_given():
    columns = {"seed": Seed(), "text": Text(), "label": Label()}
    seeds = [encode_row(columns, {"text": t, "label": k}, no_file)["seed"] for t, k in ["ab", "ac", "bb"]]
    assert seeds[0] == seeds[1] != seeds[2]  # the class is no content
    assert encode_row(columns, {"text": "a", "label": "b", "seed": "7"}, no_file)["seed"] == 7


def test_classes_are_counted_by_the_kinds_that_have_them():
    row = {"label": b"cat", "boxes_label": [b"dog", b"cat", b"dog"]}
    assert list(Label().class_names("label", row)) == ["cat"]
    assert list(Boxes().class_names("boxes", row)) == ["dog", "cat", "dog"]
    assert list(Text().class_names("label", row)) == []


ARGUMENTS = {
    "Vector": {"size": 3},
    "Partner": {"of": "text", "kind": Text()},
    "Same": {"by": "name"},
    "Crossed": {"kind": data.columns.Image()},
    "Opening": {"key": "key", "metre": "metre"},
    "Ranges": {"beams": 4, "farthest": 50.0},
    "Recorded": {"kind": Text(), "default": ""},
    "Turns": {"reply": "text", "conversation": "name"},
}


@pytest.mark.parametrize("kind", sorted(KINDS - {"Ahead", "Backdrop", "Derived", "Given", "Prefix", "Reply", "Seed"}))
def test_a_sample_of_each_kind_is_one_that_it_takes(kind):
    import numpy as np

    rng = np.random.default_rng(0)
    column = getattr(data.columns, kind)(**ARGUMENTS.get(kind, {}))
    value = column.sample("c", samples.subject(3, 1, rng), rng)
    content = value.content if isinstance(value, samples.Media) else value
    assert isinstance(value, samples.Media) == column.is_media
    assert set(column.encode("c", content)) <= set(column.features("c"))
    if column.is_media:
        assert value.suffix in column.suffixes
