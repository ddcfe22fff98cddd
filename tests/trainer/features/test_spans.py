"""Words with their places in any script, and passages as tags and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import spans

TEXTS = {
    "turn on the kitchen's lamp": ["turn", "on", "the", "kitchen", "'", "s", "lamp"],
    "at 22.5°C, 5pm": ["at", "22", ".", "5", "°", "C", ",", "5", "pm"],
    "打开客厅的灯 ok": ["打", "开", "客", "厅", "的", "灯", "ok"],
    "ひかりをつけて": list("ひかりをつけて"),
    "เปิดไฟ": ["เ", "ปิ", "ด", "ไ", "ฟ"],
    "e\u0301te\u0301": ["e\u0301te\u0301"],
    "مرحبا بالعالم": ["مرحبا", "بالعالم"],
    "नमस्ते दुनिया": ["नमस्ते", "दुनिया"],
    "👨\u200d👩\u200d👧 hi 👍🏽!": ["👨\u200d👩\u200d👧", "hi", "👍🏽", "!"],
    "\u0301x": ["\u0301x"],
    "불을 켜": ["불을", "켜"],
    "": [],
    " \u3000\n": [],
}


def test_words_stand_where_they_are_said_to_in_any_script() -> None:
    located = spans.locate(tf.constant(list(TEXTS)))
    starts, ends = located.starts.to_list(), located.ends.to_list()
    for row, (text, words) in enumerate(TEXTS.items()):
        assert [word.decode() for word in located.words.to_list()[row]] == words
        assert [text[start:end] for start, end in zip(starts[row], ends[row], strict=True)] == words
        assert "".join(words) == "".join(text.split()), "nothing but space is left out"


def test_no_texts_have_no_words() -> None:
    assert spans.locate(tf.constant([], tf.string)).words.to_list() == []


def test_words_that_are_the_same_are_alike() -> None:
    words = tf.ragged.constant([["Kitchen", "42", "É"], ["kitchen", "17", "e\u0301"]])
    first, second = spans.alike(words).to_list()
    assert first == second


def test_words_with_the_same_ends_share_numbers() -> None:
    heads, tails = spans.affixes(tf.ragged.constant([["lighting", "light", "hunting", "a"], []]), 1000)
    (lighting, light, hunting, _), empty = heads.to_list()
    assert lighting == light != hunting and empty == []
    assert tails.to_list()[0][0] == tails.to_list()[0][2] != tails.to_list()[0][1]
    assert min(heads.to_list()[0] + tails.to_list()[0]) > 0, "0 is padding"


def located(text: str, length: int) -> tuple[object, object]:
    found = spans.locate(tf.constant([text]))
    return tuple(part.to_tensor(0, shape=[None, length]) for part in (found.starts, found.ends))  # type: ignore[return-value]


def test_passages_become_tags_and_come_back() -> None:
    text = "turn on the desk lamp kitchen in 5 minutes"
    truth = [[12, 21, 1], [22, 29, 0], [33, 34, 2]]
    places = located(text, 12)
    rows = tf.constant([[*truth, [-1, -1, -1]]], tf.int64)
    tags = spans.tags_of(rows, *places)
    names = ["", "O", *(f"{part}-{name}" for name in ("area", "name", "minutes") for part in "BI")]
    assert len(names) == spans.num_tags(["area", "name", "minutes"])
    expected = ["O", "O", "O", "B-name", "I-name", "B-area", "O", "B-minutes", "O", "", "", ""]
    assert [names[tag] for tag in tags.numpy()[0]] == expected
    back = spans.spans_of(tags, *places)
    assert back.numpy().tolist() == [truth]
    shown = json.loads(spans.as_json(back, ["area", 'a "name"', "minutes"]).numpy()[0].decode())
    assert shown[0] == {"start": 12, "end": 21, "name": 'a "name"'}


def test_one_name_twice_in_a_row_is_two_passages() -> None:
    places = located("red blue", 3)
    rows = tf.constant([[[0, 3, 0], [4, 8, 0]]], tf.int64)
    assert spans.tags_of(rows, *places).numpy().tolist() == [[2, 2, 0]]
    assert spans.spans_of(spans.tags_of(rows, *places), *places).numpy().tolist() == rows.numpy().tolist()


def test_a_passage_that_nothing_began_begins_there() -> None:
    """As the CoNLL script has it: I after O, and I of another name."""
    places = located("a b c d", 4)
    tags = tf.constant([[3, 5, 5, 1]], tf.int64)
    assert spans.spans_of(tags, *places).numpy().tolist() == [[[0, 1, 0], [2, 5, 1]]]


@pytest.mark.parametrize("rows", [1, 3])
def test_where_nothing_is_marked_there_are_no_passages(rows: int) -> None:
    zeros = tf.zeros([rows, 4], tf.int64)
    found = spans.spans_of(zeros, zeros, zeros)
    assert found.shape == (rows, 0, 3)
    assert spans.as_json(found, []).numpy().tolist() == [b"[]"] * rows


def test_rows_of_fewer_passages_are_filled_up() -> None:
    starts = np.array([[0, 2], [0, 2]])
    tags = tf.constant([[2, 2], [1, 2]], tf.int64)
    found = spans.spans_of(tags, tf.constant(starts), tf.constant(starts + 1))
    assert found.numpy().tolist() == [[[0, 1, 0], [2, 3, 0]], [[2, 3, 0], [-1, -1, -1]]]


def test_a_name_without_a_place_is_outside() -> None:
    places = located("a b", 2)
    assert spans.tags_of(tf.constant([[[0, 1, -1]]], tf.int64), *places).numpy().tolist() == [[1, 1]]
