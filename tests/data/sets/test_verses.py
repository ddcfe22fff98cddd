"""Verses: markup away, pairs aligned."""

from __future__ import annotations

import pytest

from data.sets.verses import aligned, is_for_eval, plain


@pytest.mark.parametrize(
    ("osis", "text"),
    [
        (
            '<w lemma="strong:H0430">God</w><note placement="foot"><reference>1:1 </reference>“Elohim”.</note>'
            '<w lemma="strong:H1254">created</w> the <w>earth</w>. ',
            "God created the earth.",
        ),
        ('only born</q><note>greek</note><q marker="" who="Jesus">Son</q><note>x</note>, that', "only born Son, that"),
        ('<title canonical="true">A Psalm.</title> <l sID="1"/>Yahweh<l eID="1"/><l/>is', "A Psalm. Yahweh is"),
        ('<div sID="2"/><title>Heading</title><speaker>Lover</speaker>Behold', "Behold"),
        ('Amen.  <chapter eID="Rev.22"/><div/> <title>Glossary</title> Abba is …', "Amen."),
        ('“<q>Blessed</q> are <transChange type="added">they</transChange> (Selah<l/>)', "“Blessed are they (Selah)"),
    ],
)
def test_a_verse_is_its_words_without_notes_and_tags(osis: str, text: str) -> None:
    assert plain(osis) == text


def test_pairs_are_short_different_and_of_like_length() -> None:
    english = {
        ("Gen", 1, 1): "One <w>two</w>.",
        ("Gen", 1, 2): "one, two",  # again
        ("Gen", 1, 3): "word " * 17,
        ("Gen", 1, 4): "Not in the other.",
        ("Gen", 1, 5): "A verse that is much longer than its fellow.",
        ("Gen", 1, 6): "Three",
    }
    spanish = {verse: "Uno dos." for verse in english if verse != ("Gen", 1, 4)}
    assert list(aligned(english, spanish)) == [
        (("Gen", 1, 1), "One two.", "Uno dos."),
        (("Gen", 1, 6), "Three", "Uno dos."),
    ]


def test_a_tenth_of_the_chapters_is_for_evaluation_whole() -> None:
    chapters = [("Gen", chapter) for chapter in range(1, 1001)]
    chosen = [is_for_eval((*chapter, 1)) for chapter in chapters]
    assert 70 < sum(chosen) < 130
    assert chosen == [is_for_eval((*chapter, 9)) for chapter in chapters]
