"""What another record gives a record, and whether both are the same."""

from __future__ import annotations

import numpy as np
import pytest

from data.columns import BadColumn, Image, Label, Partner, Same, Text, encode_row, partner_of, sameness, samples
from data.errors import BadValue

COLUMNS = {
    "text": Text(),
    "other": Partner(of="text", kind=Text()),
    "name": Label(open=True, optional=True),
    "other_name": Partner(of="name", kind=Label(open=True, optional=True), optional=True),
    "same": Same(by="name"),
}


def encoded(**values):
    return encode_row(COLUMNS, {"text": "a", "other": "b"} | values, lambda name, path: b"")


@pytest.mark.parametrize(("said", "means"), [(1, 1), ("0", 0), (True, 1), ("Same", 1), (" different", 0), ("no", 0)])
def test_sameness_is_said_in_many_words(said, means):
    assert encoded(same=said)["same"] == means
    assert COLUMNS["same"].class_names("same", encoded(same=said)) == [("different", "same")[means]]


@pytest.mark.parametrize("said", ["2", "maybe", 0.5, None, []])
def test_what_is_neither_is_refused(said):
    with pytest.raises(BadValue, match="expected 1 .the same. or 0"):
        Same(by="name").encode("same", said)


def test_sameness_has_to_agree_with_the_names():
    assert encoded(same=1, name="Ann", other_name="Ann")["other_name"] == b"Ann"
    assert encoded(same=1, name="Ann")["same"] == 1
    with pytest.raises(BadColumn, match="same: said to be same, of Ann and Bob"):
        encoded(same=1, name="Ann", other_name="Bob")
    with pytest.raises(BadColumn, match="said to be different, of Ann and Ann"):
        encoded(same=0, name="Ann", other_name="Ann")


def test_a_partner_is_read_as_its_kind():
    picture = Partner(of="image", kind=Image(min_size=8))
    assert picture.is_media and picture.is_picture and picture.suffixes == Image.suffixes
    assert set(picture.features("p")) == set(Image().features("p"))
    assert picture.noun == "picture" and picture.form() == Image().form()
    assert partner_of(COLUMNS) == {"text": "other", "name": "other_name"}
    assert sameness(COLUMNS) == ("same", "name") and sameness({"text": Text()}) is None


def test_an_open_label_has_no_classes_to_be_closed_over():
    name = Label(open=True)
    assert not name.features("n")["n"].categories and name.class_names("n", {"n": b"Ann"}) == ()
    assert Label().features("n")["n"].categories and Label().class_names("n", {"n": b"Ann"}) == ("Ann",)


def test_samples_of_a_record_and_its_partner_agree():
    rng = np.random.default_rng(0)
    said = []
    for hour in range(12):
        subject = samples.subject(hour, hour % 3, rng)
        one, other, same = (COLUMNS[name].sample(name, subject, rng) for name in ("name", "other_name", "same"))
        said.append(same)
        assert (one == other) == bool(same)
    assert 4 <= sum(said) <= 8
