"""Texts as they are spoken: numbers and abbreviations in words."""

from __future__ import annotations

import pytest

from data.errors import WrongUse
from trainer.backend import tf
from trainer.features.spoken_texts import written_out


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Mr. Smith paid 1,234,567.", "en", "mister smith paid one two three four five six seven."),
        ("in 1984", "en", "in one thousand nine hundred and eighty four"),
        ("on the 3rd, at 21st St.", "en", "on the third, at twenty first saint"),
        ("12% of 3.14 & 007", "en", "twelve percent of three point fourteen and zero zero seven"),
        ("0 and 9999", "en", "zero and nine thousand nine hundred and ninety nine"),
        ("no numbers  here", "en", "no numbers here"),
        ("У меня 42 книги", "ru", "у меня сорок два книги"),
        ("Il y a 80 ans, 3rd", "fr", "il y a quatre vingts ans, trois rd"),
        ("12345 Häuser", "de", "eins zwei drei vier fünf häuser"),
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
