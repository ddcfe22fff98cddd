"""How languages read numbers, beside what num2words says of each."""

from __future__ import annotations

import num2words
import pytest

from data.errors import WrongUse
from trainer.features.numerals import joined, numerals


@pytest.mark.parametrize(
    ("language", "digits"), [("en", 12), ("de", 6), ("ru", 12), ("es", 9), ("ja", 12), ("en_IN", 6), ("ar", 4)]
)
def test_numbers_are_put_together_as_far_as_the_language_does(language: str, digits: int) -> None:
    known = numerals(language)
    assert known.base ** len(known.groups) == 10**digits
    for number in (0, 7, 80, 999, 1_000, 1_001, 9_999, 10**digits // 8, 10**digits // 10, 10**digits - 1):
        plain = num2words.num2words(number, lang=language).lower().replace(",", " ").replace("-", " ")
        assert joined(number, known.base, known.groups) == " ".join(plain.split())


def test_what_a_language_lacks_is_left_away() -> None:
    assert numerals("fr").currencies.keys() >= {"$", "€"} and not numerals("it").currencies
    assert not numerals("pl").point and not numerals("fr").years and numerals("de").ordinals is None
    assert (numerals("es_GT").mark, numerals("es").mark) == (".", ",")


@pytest.mark.parametrize("language", ["xx", "am"])
def test_a_language_without_numbers_is_named(language: str) -> None:
    with pytest.raises(WrongUse, match=repr(language)):
        numerals(language)
