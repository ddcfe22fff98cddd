"""Texts as they are spoken, inside the graph: numbers and abbreviations in words, and what a voice never learnt.

The rule for numbers, in any language that num2words knows: a whole number up to 9,999 is written in words; one with
more digits, or with a zero in front, digit by digit. In English thousands may be parted by commas, `3rd` is an ordinal
number, and a decimal point is "point". In other languages the marks between digits stay as they are.

The abbreviations are English alone: those of LJ Speech (Ito & Johnson 2017), and a few signs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from data.errors import WrongUse
from trainer.backend import tf
from trainer.features.texts import SPACE, spaced_characters

LARGEST = 9_999
"""Number that is written in words."""

TITLES = dict(
    [
        *(("mr", "mister"), ("mrs", "missus"), ("dr", "doctor"), ("st", "saint"), ("co", "company"), ("jr", "junior")),
        *(("maj", "major"), ("gen", "general"), ("drs", "doctors"), ("rev", "reverend"), ("lt", "lieutenant")),
        *(("hon", "honorable"), ("sgt", "sergeant"), ("capt", "captain"), ("esq", "esquire"), ("ltd", "limited")),
        *(("col", "colonel"), ("ft", "fort")),
    ]
)
"""English abbreviations, before a full stop."""
SIGNS = {"%": " percent", "&": " and ", r"\+": " plus ", "=": " equals ", "@": " at "}
"""English, as patterns."""


def written_out(text: Any, language: str) -> Any:
    """Texts, string `[batch]`, lower-cased, with what is not spelt as it is spoken in words.

    Args:
      language: as num2words has it, such as "en", "fr" or "es_CO".
    """
    text = tf.strings.lower(text, encoding="utf-8")
    english = language.partition("_")[0] == "en"
    number = r"\d+"
    if english:
        number = r"\d+(?:st|nd|rd|th)?\b"
        for pattern, words in _english():
            text = tf.strings.regex_replace(text, pattern, words)
    parted = tf.strings.regex_replace(text, f"({number})", r" \1 ")
    parts = tf.strings.split(tf.strings.strip(tf.strings.regex_replace(parted, r"\s+", " ")), " ")
    said = parts.with_flat_values(_numbers_in_words(parts.flat_values, language))
    joined = tf.strings.reduce_join(said, axis=-1, separator=" ")
    return tf.strings.strip(tf.strings.regex_replace(joined, r"\s+([.,;:!?)\]}])", r"\1"))


def index_spoken(text: Any, language: str, name: str, most: int) -> tuple[Any, Any, Any]:
    """Texts as symbols of what is spoken, for use in `preprocess`. A full pass makes the vocabulary `name` of the train
    split's characters.

    Args:
      text: string `[batch]`.
      language: as in `written_out`.
      most: symbols, of which what is more is cut.

    Returns:
      int64 `[batch, most]`, padded with -1; how many there are, int64 `[batch]`; and what is not spoken, in words,
      string `[batch]`, empty where all is. Of marks of punctuation that training never heard nothing is said.
    """
    import tensorflow_transform as tft

    characters = spaced_characters(written_out(text, language))
    everything = tft.compute_and_apply_vocabulary(characters, default_value=-1, vocab_filename=name)
    symbols = tf.ragged.boolean_mask(everything, everything >= 0)
    is_mark = tf.strings.regex_full_match(characters.flat_values, rf"[\p{{P}}{SPACE}]")  # at most a pause
    is_strange = everything.with_flat_values((everything.flat_values < 0) & ~is_mark)
    strange = _joined_once(tf.ragged.boolean_mask(characters, is_strange))
    beyond = symbols.row_lengths() > most
    remark = tf.strings.join(
        [
            tf.where(strange != "", tf.strings.join(["not spoken, since training never heard it: ", strange]), ""),
            tf.where((strange != "") & beyond, "; ", ""),
            tf.where(beyond, f"cut to the first {most} characters", ""),
        ]
    )
    return symbols.to_tensor(-1, shape=[None, most]), tf.minimum(symbols.row_lengths(), most), remark


def _joined_once(characters: Any) -> Any:
    """The different ones of characters, RaggedTensor `[batch, None]`, with a space between them: string `[batch]`."""

    def different(row: Any) -> Any:
        return tf.strings.reduce_join(tf.unique(row)[0], separator=" ")

    return tf.map_fn(different, characters, fn_output_signature=tf.TensorSpec([], tf.string))


def _english() -> list[tuple[str, str]]:
    """Patterns and what stands in place of them, in their order."""
    titles = [(rf"\b{short}\.", whole) for short, whole in TITLES.items()]
    thousands = [(r"(\d),(\d\d\d)\b", r"\1\2")] * 2  # matches do not overlap: 1,234,567 takes two
    decimals = [(r"(\d)\.(\d)", r"\1 point \2")]
    return [*titles, *thousands, *decimals, *SIGNS.items()]


def _numbers_in_words(parts: Any, language: str) -> Any:
    """Strings `[n]`, of which those that are numbers are written out."""
    cardinals = tf.constant(_words(language, "cardinal"))
    found = parts
    is_number = tf.strings.regex_full_match(parts, r"[1-9]\d{0,3}|0")
    value = tf.strings.to_number(tf.where(is_number, parts, "0"), tf.int32)
    found = tf.where(is_number, tf.gather(cardinals, value), found)
    is_long = tf.strings.regex_full_match(parts, r"\d+") & ~is_number
    found = tf.where(is_long, _digit_by_digit(parts, language), found)
    if language.partition("_")[0] == "en":
        is_ordinal = tf.strings.regex_full_match(parts, r"[1-9]\d{0,3}(st|nd|rd|th)")
        value = tf.strings.to_number(tf.where(is_ordinal, tf.strings.regex_replace(parts, r"\D", ""), "0"), tf.int32)
        found = tf.where(is_ordinal, tf.gather(tf.constant(_words(language, "ordinal")), value), found)
    return found


def _digit_by_digit(parts: Any, language: str) -> Any:
    for digit, word in enumerate(_words(language, "cardinal")[:10]):
        parts = tf.strings.regex_replace(parts, str(digit), f" {word} ")
    return tf.strings.strip(tf.strings.regex_replace(parts, r"\s+", " "))


@functools.cache
def _words(language: str, form: str) -> Sequence[str]:
    """The numbers from 0 to LARGEST in words.

    Raises:
      WrongUse: num2words does not know the language.
    """
    import num2words

    try:
        found = [num2words.num2words(number, lang=language, to=form) for number in range(LARGEST + 1)]
    except NotImplementedError as error:
        known = ", ".join(sorted(num2words.CONVERTER_CLASSES))
        raise WrongUse(f"no numbers are known in the language {language!r}", f"give one of {known}") from error
    return [re.sub(r"[\s,-]+", " ", words).lower() for words in found]  # marks that a voice may not have learnt
