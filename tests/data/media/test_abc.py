"""ABC notation: what is read of a tune, what it is moved to, and what is refused."""

from __future__ import annotations

import pytest

from data.errors import BadValue
from data.media import abc, tunes

HEAD = "X:1\nT:a\nM:{metre}\nL:1/8\nK:{key}\n"


def read(music: str, metre: str = "4/4", key: str = "C") -> str:
    text = abc.read(HEAD.format(metre=metre, key=key) + music).text
    return text.partition(" ")[2].partition(" ")[2].removesuffix(" |")


@pytest.mark.parametrize(
    ("music", "found"),
    [
        ("C2D2 E2F2|G8|]", "C2 D2 E2 F2 | G8"),
        ("A>B A<B A>>B c2|C8", "A3/2 B/2 A/2 B3/2 A7/4 B/4 c2 | C8"),
        ("(3ABc d2 (3:2:4ABcd e|C8", "(3:2:3 A B c d2 (3:2:4 A B c d e | C8"),
        ("^c2c2=c2c2|c8", "^c2 ^c2 c2 c2 | c8"),  # an accidental holds to the end of its bar
        ("c6^c2-|c8", "c6 ^c2- | ^c8"),  # and over it where a note is tied
        ('"Am"~[CEG]4 {ab}.c2 !trill!d2|z8 % words\nw: la la', "G4 c2 d2 | z8"),
        ("|:C8|1 D8:|2 E8|]", "C8 | E8"),  # of several endings the last
        ("c2|C8|E6:|:c2|G8|c6:|", "c2 | C8 | E6 c2 | G8 | c6"),  # an upbeat behind a repeat fills the bar before
        ("C8D8|E8", "C8 | D8 | E8"),  # a line that is missing
        ("C,,8|c''8", "C,,8 | c''8"),
        ("C8|[M:2/4]D4|E4", "C8 | M:2/4 D4 | E4"),
        ("V:1\nC8|D8\nV:2\nE8|F8", "C8 | D8"),
    ],
)
def test_music_is_read_as_a_melody_in_bars(music: str, found: str) -> None:
    assert read(music) == found


@pytest.mark.parametrize(
    ("key", "music", "found", "keynote"),
    [
        ("D", "D2F2A2d2", "maj M:4/4 C2 E2 G2 c2 |", "D"),
        ("Em", "E2G2B2e2", "min M:4/4 C2 _E2 G2 c2 |", "E"),
        ("Ador", "A2F2G2a2", "dor M:4/4 C2 A,2 _B,2 c2 |", "A"),
        ("Bb", "B2d2f2a2", "maj M:4/4 C2 E2 G2 B2 |", "Bb"),
        ("G ^c", "G2c2d2g2", "maj M:4/4 C2 ^F2 G2 c2 |", "G"),
    ],
)
def test_a_tune_is_moved_to_c(key: str, music: str, found: str, keynote: str) -> None:
    tune = abc.read(HEAD.format(metre="C", key=key) + music)
    assert (tune.text, tune.keynote) == (found, keynote)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("X:1\nK:C\nC8|", "no metre"),
        ("X:1\nM:4/4\nC8|", "before the key"),
        ("X:1\nM:none\nK:C\nC8|", "M:none is no metre"),
        ("X:1\nM:4/4\nK:Q\nC8|", "K:Q is no key"),
        (HEAD.format(metre="4/4", key="C") + "C8|??|", r"'\?\?\|' is no ABC"),
        (HEAD.format(metre="4/4", key="C") + "z8|z8|", "holds no note"),
        (HEAD.format(metre="4/4", key="C") + "C8|C7|C8|", "1 of 3 bars do not add up .* bar 2, which lasts 7/8"),
        (HEAD.format(metre="4/4", key="C") + ">C8|", "between no two notes"),
        (HEAD.format(metre="4/4", key="C") + "C8/0|", "divided by 0"),
        (HEAD.format(metre="4/4", key="C") + "C,,,,,8|", "too low"),
        (HEAD.format(metre="4/4", key="C") + "C8|\nX:2\nK:C\nC8", "several tunes"),
    ],
)
def test_what_is_no_tune_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        abc.read(text)


def test_a_file_holds_many_tunes() -> None:
    found = list(abc.entries("% a book\n\nX: 7\nK:C\nC\n\nX:8 % the next\nK:D\n"))
    assert [(one.number, one.line) for one in found] == [("7", 3), ("8", 7)]


def test_an_opening_is_read_in_its_key_and_its_last_bar_stays_open() -> None:
    assert abc.opening("d2f2a2|f", "D", "3/4") == "c2 e2 g2 | e"
    assert abc.opening("d2f2a2|", "D", "3/4") == "c2 e2 g2 |"


def test_all_keys_have_at_most_seven_accidentals() -> None:
    assert {"C", "Am", "F#", "Ddor", "G#m"} <= set(tunes.keys())
    assert not {"G#", "D#"} & set(tunes.keys())
    assert tunes.signature(2) == {3: 1, 0: 1} and tunes.signature(-1) == {6: -1}
