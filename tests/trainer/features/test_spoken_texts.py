"""Texts as they are spoken: numbers and abbreviations in words."""

from __future__ import annotations

import pytest

from data.errors import WrongUse
from trainer.backend import tf
from trainer.features.spoken_texts import written_out

GREAT = ("billion", "million", "thousand", "")
YEARS_IN_WORDS = (
    "in nineteen eighty four, one thousand nine hundred and eighty four of two thousand and five "
    "and two thousand one hundred"
)
MANY_BOOKS = "у меня сорок два книги, один миллион двести тридцать четыре тысячи пятьсот шестьдесят семь"


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Mr. Smith, no numbers  here", "en", "mister smith, no numbers here"),
        ("1,234,567.", "en", "one million two hundred and thirty four thousand five hundred and sixty seven."),
        ("1000005 or 12,000", "en", "one million and five or twelve thousand"),
        ("999999999999", "en", " ".join(["nine hundred and ninety nine", "{}"] * 4).format(*GREAT).strip()),
        ("1000000000000", "en", "one" + " zero" * 12),
        ("0, 007 and 9999", "en", "zero, zero zero seven and nine thousand nine hundred and ninety nine"),
        ("in 1984, 1,984 of 2005 and 2100", "en", YEARS_IN_WORDS),
        ("on the 3rd, at 21st St.", "en", "on the third, at twenty first saint"),
        ("the 1,000th, 1234th", "en", "the one thousandth, one thousand two hundred and thirty fourth"),
        ("12% of 3.14 & 10.05. 6", "en", "twelve percent of three point one four and ten point zero five. six"),
        (
            "$5, $1.07 or £ 2.5; 3 €",
            "en",
            "five dollars, one dollar seven cents or two point five pounds sterling; three euro",
        ),
        ("У меня 42 книги, 1\u00a0234\u00a0567", "ru", MANY_BOOKS),
        ("2 доллара: $21,02", "ru", "два доллара: двадцать один доллар два цента"),
        ("Il y a 80 ans, 3rd", "fr", "il y a quatre vingts ans, trois rd"),
        ("2,30 € et 1\u202f000,5", "fr", "deux euros trente centimes et mille virgule cinq"),
        (
            "12.345 Häuser, 1000001",
            "de",
            "zwölftausenddreihundertfünfundvierzig häuser, eins null null null null null eins",
        ),
        ("1984: 3,14", "de", "neunzehnhundertvierundachtzig: drei komma eins vier"),
        ("el 3º de 1984", "es", "el tercero de mil novecientos ochenta y cuatro"),
        ("12345円", "ja", "一万二千三百四十五 円"),
        ("12345", "hu", "egy kettő három négy öt"),
        ("", "en", ""),
    ],
)
def test_numbers_and_abbreviations_are_written_out(text: str, language: str, words: str) -> None:
    assert written_out(tf.constant([text]), language).numpy()[0].decode() == words


def test_texts_of_a_batch_do_not_touch_each_other() -> None:
    assert written_out(tf.constant(["1", "", "2 b"]), "en").numpy().tolist() == [b"one", b"", b"two b"]


def test_a_language_that_is_not_known_is_named_beside_those_that_are() -> None:
    with pytest.raises(WrongUse, match="'xx'") as refused:
        written_out(tf.constant(["1"]), "xx")
    assert "fr" in refused.value.fix and "es_CO" in refused.value.fix
