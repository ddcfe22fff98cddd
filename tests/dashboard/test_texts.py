"""What a page cannot show or must not obey is shown as what it is."""

from __future__ import annotations

import json

import pytest

from dashboard.texts import of_json, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("gnp.\u202eexe", "gnp.[U+202E]exe"),
        ("a\0b", "a[U+0000]b"),
        ("half \ud83d of a pair", "half [U+D83D] of a pair"),
        ("Ünï \U0001f600\n\tאב", "Ünï \U0001f600\n\tאב"),
    ],
)
def test_a_text_is_made_visible_wherever_it_stands(text: str, seen: str) -> None:
    assert visible(text) == seen
    assert of_json(json.dumps({text: [text, {"a": text}], "n": 3})) == {seen: [seen, {"a": seen}], "n": 3}


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        of_json("{")
