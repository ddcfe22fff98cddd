"""Texts as they are spoken, inside the graph: numbers and abbreviations in words, and what a voice never learnt.

The rules for numbers, in any language that num2words knows, are those of `trainer.features.numerals`:

- A whole number is written in words as far as the language's words can be put together, in English up to twelve digits;
  a longer one, and one with a zero in front, digit by digit. Thousands may be parted, by commas in English and by full
  stops where the decimal mark is a comma, and by no-break spaces.
- Behind a decimal mark each digit is said for itself, where the language says it so: `3.14` is "three point one four".
- Four digits from 1100 to 2099, not parted, are a year where the language counts years in hundreds: `1984` is "nineteen
  eighty four", `1,984` is not.
- A number with the language's ordinal ending, as `3rd`, is an ordinal number.
- A sign of dollar, euro, pound or yen before or behind a number is the currency, two digits behind the mark its
  hundredths, where the language's name of it stands behind an unchanged number.

What a language lacks of these stays as it is, and what a voice has not learnt of it is named. The abbreviations are
English alone: those of LJ Speech (Ito & Johnson 2017), and a few signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from trainer.backend import tf
from trainer.features.numerals import INFLECTED, YEARS, Currency, Group, Numerals, numerals
from trainer.features.texts import SPACE, spaced_characters

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
    known = numerals(language)
    if language.partition("_")[0] == "en":
        titles = {rf"\b{short}\.": whole for short, whole in TITLES.items()}
        for pattern, words in (titles | SIGNS).items():
            text = tf.strings.regex_replace(text, pattern, words)
    amount, signs = _amount_pattern(known), _any_of(known.currencies)
    text = tf.strings.regex_replace(text, rf"({signs})\s?({amount})", r"\2\1")
    text = tf.strings.regex_replace(text, rf"({amount})\s?({signs})", r" \1\2 ")
    parted = tf.strings.regex_replace(text, rf"({amount}(?:{signs})|{_number(known)})", r" \1 ")
    parts = tf.strings.split(tf.strings.strip(tf.strings.regex_replace(parted, r"\s+", " ")), " ")
    said = parts.with_flat_values(_numbers_in_words(parts.flat_values, known))
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


NOTHING = r"[^\s\S]"
"""A pattern that matches nothing."""


def _any_of(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in texts) or NOTHING


def _whole(known: Numerals) -> str:
    """A pattern of whole numbers in figures whose thousands are parted."""
    return rf"\d{{1,3}}(?:[{re.escape(known.parting)}\x{{a0}}\x{{202f}}]\d\d\d)+"


def _number(known: Numerals) -> str:
    """A pattern of numbers in figures: ordinal ones, and others."""
    decimals = rf"(?:{re.escape(known.mark)}\d+)?" if known.point else ""
    return rf"(?:{_ordinal(known)}|(?:{_whole(known)}\b|\d+){decimals})"


def _ordinal(known: Numerals) -> str:
    ends = (re.escape(suffix) + (r"\b" if suffix[-1].isascii() else "") for suffix in known.suffixes)
    return rf"(?:{_whole(known)}|\d+)(?:{'|'.join(ends) or NOTHING})"


def _amount_pattern(known: Numerals) -> str:
    """A pattern of amounts: of hundredths at least a language can tell, whether it can tell decimals or not."""
    decimals = r"\d+" if known.point else r"\d\d\b"
    return rf"(?:(?:{_whole(known)}\b|\d+)(?:{re.escape(known.mark)}{decimals})?)"


def _numbers_in_words(parts: Any, known: Numerals) -> Any:
    """Strings `[n]`, of which those that are numbers are written out."""
    replace, matches = tf.strings.regex_replace, tf.strings.regex_full_match
    bare = replace(parts, _any_of(known.currencies), "")
    is_amount = (bare != parts) & matches(bare, _amount_pattern(known))
    is_number, is_ordinal = is_amount | matches(bare, _number(known)), matches(bare, _ordinal(known))
    fraction = tf.where(is_number & matches(bare, rf".*{re.escape(known.mark)}\d+"), bare, "")
    fraction = replace(fraction, rf".*{re.escape(known.mark)}", "")
    figures = tf.where(fraction != "", replace(bare, rf"{re.escape(known.mark)}\d+$", ""), bare)
    figures = tf.where(is_number, replace(figures, r"[^0-9]", ""), "0")
    is_short = matches(figures, r"0|[1-9]\d{0,14}")
    value = tf.strings.to_number(tf.where(is_short, figures, "0"), tf.int64)
    has_words = is_short & (value < known.base ** len(known.groups))
    value = tf.where(has_words, value, 0)
    cardinal = tf.where(has_words, _joined(value, known.base, known.groups), _digit_by_digit(figures, known))
    decimal = tf.strings.join([cardinal, f" {known.point} ", _digit_by_digit(fraction, known)])
    words = tf.where(fraction != "", decimal, cardinal)
    if known.years:
        is_year = matches(parts, r"\d{4}") & (value >= YEARS[0]) & (value <= YEARS[-1])
        words = tf.where(is_year, tf.gather(known.years, tf.where(is_year, value - YEARS[0], 0)), words)
    if known.ordinals:
        ordinal = _joined(value, known.base, [known.ordinals, *known.groups[1:]])
        can_be = has_words if known.ordinals.further else value < known.base
        words = tf.where(is_ordinal & has_words & can_be, ordinal, words)
    for sign, currency in known.currencies.items():
        has_sign = matches(parts, rf".*{re.escape(sign)}")
        words = tf.where(has_sign, _amount(value, fraction, cardinal, words, currency), words)
    return tf.where(is_number, words, parts)


def _joined(value: Any, base: int, groups: Sequence[Group]) -> Any:
    """Numbers int64 `[n]` in words, as `numerals.joined` has them."""
    words = tf.fill(tf.shape(value), "")
    is_begun = tf.fill(tf.shape(value), False)
    for place in reversed(range(len(groups))):
        part = value // base**place % base
        first = tf.gather(groups[place].first, part)
        if place:
            first = tf.where(part > 0, first, "")
        further = tf.gather(groups[place].further or groups[place].first, part)
        words = tf.where(is_begun, tf.strings.join([words, further]), first)
        is_begun |= part > 0
    return words


def _amount(value: Any, fraction: Any, cardinal: Any, decimal: Any, currency: Currency) -> Any:
    """Amounts in words: two digits behind the mark are hundredths, others are not."""
    half = INFLECTED // 2
    inflection = tf.gather(list(currency.inflections), tf.where(value < INFLECTED, value, half + value % half))
    name = tf.gather(list(currency.names), inflection)
    has_hundredths = tf.strings.regex_full_match(fraction, r"\d\d")
    hundredths = tf.gather(
        list(currency.hundredths), tf.strings.to_number(tf.where(has_hundredths, fraction, "0"), tf.int32)
    )
    number = tf.where(has_hundredths, cardinal, decimal)
    return tf.strings.join([number, name, tf.where(hundredths != "", " ", ""), hundredths])


def _digit_by_digit(figures: Any, known: Numerals) -> Any:
    for digit, word in enumerate(known.digits):
        figures = tf.strings.regex_replace(figures, str(digit), f" {word} ")
    return tf.strings.strip(tf.strings.regex_replace(figures, r"\s+", " "))
