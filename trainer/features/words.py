"""Words of texts in any language and script, inside the graph: where they begin and end, and which are the same.

The rule is that of Unicode's word boundaries (UAX #29) as far as it needs no dictionary:

- Letters, marks and digits beside each other are one word, with an apostrophe between letters ("didn't") and a point or
  comma between digits ("1,500.5"); so in scripts that put spaces between words, in whichever direction they are read.
- Han characters, Hiragana and the letters of Thai, Lao, Khmer and Myanmar, which put none, are each a word of its own,
  with the marks that stand on it. Katakana beside each other, which spell one foreign word, are one.
- All else is a word of its own: each punctuation mark and symbol, each emoji with its skin tone and whatever is joined
  to it, each flag.
- Spaces, control characters and invisible formats such as the zero-width space part words, and are none.

Nothing else is left out: the words of a text, put side by side, are the text without what parts them. Two words are
the same where they differ in capitals, in soft hyphens, or in how Unicode spells an accented letter (NFC).
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer.backend import tf

PAD = 0
"""Neither the number nor the fingerprint of any word."""

FINGERPRINTS = 2**31 - 1
"""How many different ones there are. Of 50,000 words less than one pair is expected to share one."""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LONG = r"\x{30FC}\x{FF70}"  # the prolonged sound mark, which Hiragana has too
_KATAKANA = rf"[\p{{Katakana}}{_LONG}][\p{{Katakana}}{_LONG}\p{{M}}]*"
_LETTER = rf"[^\P{{L}}{_UNSPACED}\p{{Katakana}}{_LONG}]"
_SPELT = rf"(?:{_LETTER}|[\p{{M}}\p{{N}}\x{{AD}}\x{{200C}}\x{{200D}}])"
_WORD = rf"(?:{_LETTER}|[\p{{M}}\p{{N}}]){_SPELT}*(?:['’.,]\p{{N}}{_SPELT}*|['’]{_LETTER}{_SPELT}*)*"
_ALONE = rf"[{_UNSPACED}](?:[\x{{17D2}}\x{{1039}}][{_UNSPACED}]|\p{{M}})*"  # the two stack one letter under another
_ON_SYMBOL = r"[\p{M}\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*"
_FLAG = r"[\x{1F1E6}-\x{1F1FF}]{2}"
_KEYCAP = r"[0-9#*]\x{FE0F}?\x{20E3}"
_JOINERS = r"\x{200C}\x{200D}\x{AD}\x{E0020}-\x{E007F}"
_GAP = (
    r"\s\p{Z}\p{Cc}\x{200B}\x{200E}\x{200F}\x{061C}\x{180E}"  # spaces, controls, marks of direction
    r"\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}"
)
_SYMBOL = rf"[^{_GAP}{_JOINERS}]{_ON_SYMBOL}(?:\x{{200D}}[^{_GAP}{_JOINERS}]{_ON_SYMBOL})*"
_EACH = rf"({_KEYCAP}|{_FLAG}|{_ALONE}|{_KATAKANA}|{_WORD}|{_SYMBOL})"
_BEHIND = rf"[{_GAP}{_JOINERS}]*$"
"""What follows a word; joiners among it join nothing."""

_BEGIN = "\x01"
"""Stands before each word while a text is cut. In a text it parts words, as all control characters do."""


def split_words(text: Any) -> Any:
    """Words as they are spelt, string RaggedTensor `[batch, None]`, of texts, string `[batch]`."""
    return word_spans(text)[0]


def word_spans(text: Any) -> tuple[Any, Any]:
    """Words as they are spelt, string RaggedTensor `[batch, None]`, of texts, string `[batch]`; and at which character
    of its text each begins, int64 of the same shape."""
    text = tf.strings.regex_replace(text, _BEGIN, " ")
    pieces = tf.strings.split(tf.strings.regex_replace(text, _EACH, rf"{_BEGIN}\1"), _BEGIN)
    lengths = pieces.with_flat_values(tf.cast(tf.strings.length(pieces.flat_values, "UTF8_CHAR"), tf.int64))
    ends = tf.cumsum(lengths.flat_values)
    before = tf.gather(tf.concat([[tf.constant(0, tf.int64)], ends], 0), pieces.row_starts())
    starts = pieces.with_flat_values(ends - lengths.flat_values - tf.gather(before, pieces.value_rowids()))
    words = pieces.with_flat_values(tf.strings.regex_replace(pieces.flat_values, _BEHIND, ""))
    return words[:, 1:], starts[:, 1:]  # what stands before the first word is no word


def normalised(words: Any) -> Any:
    """Words in the form in which those that are the same are equal: strings of any one shape, ragged too."""
    if isinstance(words, tf.RaggedTensor):
        return words.with_flat_values(normalised(words.flat_values))
    different, places = tf.unique(words)
    plain = tf.strings.lower(tf.strings.regex_replace(different, r"\x{AD}", ""), encoding="utf-8")
    return tf.gather(composed(plain), places)


def fingerprints(words: Any) -> Any:
    """A number from 1 to `FINGERPRINTS` for each of `normalised` words, int32 of their shape. A word has the same one
    wherever it is met, so that a model has no need of a table to tell words by."""
    if isinstance(words, tf.RaggedTensor):
        return words.with_flat_values(fingerprints(words.flat_values))
    return tf.cast(tf.strings.to_hash_bucket_fast(words, FINGERPRINTS), tf.int32) + 1


def fingerprints_of(words: Sequence[str]) -> np.ndarray[Any, Any]:
    """Those of `normalised` words, int32 `[words]`, outside a graph."""
    return np.asarray(fingerprints(tf.constant(list(words), tf.string)))


def rounded_up(counts: Any) -> Any:
    """Each count as the least power of two that is not below it, as given: few slices, whatever the lengths."""
    powers = tf.constant([2**i for i in range(32)], counts.dtype)
    place = tf.searchsorted(powers, tf.reshape(counts, [-1]))
    return tf.reshape(tf.gather(powers, place), tf.shape(counts))


# --- Unicode's normal form C ---


def composed(words: Any) -> Any:
    """Strings `[words]` in Unicode's normal form C: letters taken apart, marks put in their canonical order, and each
    letter that Unicode has with its mark put together as one character.

    Of more than `_MOST_MARKS` marks on one letter the later ones may keep their order, and a letter is not put together
    with a mark behind one that it has not been put together with, as of another script.
    """
    apart, pairs, classes = _tables()
    characters = tf.strings.unicode_decode(words, "UTF-8")
    values, rows = _taken_apart(characters.flat_values, tf.cast(characters.value_rowids(), tf.int32), apart)
    for _ in range(_MOST_MARKS):
        values = _sorted_marks(values, rows, classes)
    for _ in range(_MOST_MARKS):
        values, rows = _joined_pairs(values, rows, pairs)
    ragged = tf.RaggedTensor.from_value_rowids(values, tf.cast(rows, tf.int64), nrows=tf.size(words, tf.int64))
    return tf.strings.unicode_encode(ragged, "UTF-8")


_MOST_MARKS = 3
_LAST = 0x1F000
"""Characters that are composed, or marks, are below it."""

_PARTS = 4
"""Characters that one is taken apart into, at most."""

_Table = Mapping[str, "np.ndarray[Any, Any]"]
"""Sorted `keys`, int64, and the `values` of each, int32."""


def _taken_apart(values: Any, rows: Any, apart: _Table) -> tuple[Any, Any]:
    whole = tf.pad(values[:, None], [[0, 0], [0, _PARTS - 1]])
    parts = _looked_up(values, apart, whole)
    there = parts > 0
    there = tf.concat([tf.ones_like(there[:, :1]), there[:, 1:]], 1)
    return tf.boolean_mask(parts, there), tf.repeat(rows, tf.reduce_sum(tf.cast(there, tf.int32), 1))


def _sorted_marks(values: Any, rows: Any, classes: _Table) -> Any:
    """One pass of exchanging neighbours of which the later mark has the lower combining class."""
    order = _looked_up(values, classes, tf.zeros_like(values))
    later = tf.concat([order[1:], tf.zeros_like(order[:1])], 0)
    same = tf.concat([tf.equal(rows[1:], rows[:-1]), tf.zeros_like(rows[:1], tf.bool)], 0)
    wrong = same & (order > later) & (later > 0)
    before = tf.concat([tf.zeros_like(wrong[:1]), wrong[:-1]], 0)
    wrong &= ~before  # of three in a row one pair at a time
    before = tf.concat([tf.zeros_like(wrong[:1]), wrong[:-1]], 0)
    step = tf.cast(wrong, tf.int32) - tf.cast(before, tf.int32)
    return tf.gather(values, tf.range(tf.size(values)) + step)


def _joined_pairs(values: Any, rows: Any, pairs: _Table) -> tuple[Any, Any]:
    """Each character and the mark behind it as one, where Unicode has it; once along each row."""
    after = tf.concat([values[1:], tf.zeros_like(values[:1])], 0)
    same = tf.concat([tf.equal(rows[1:], rows[:-1]), tf.zeros_like(rows[:1], tf.bool)], 0)
    joined = _looked_up(_pair(tf.cast(values, tf.int64), tf.cast(after, tf.int64)), pairs, tf.zeros_like(values))
    joins = same & (joined > 0)
    before = tf.concat([tf.zeros_like(joins[:1]), joins[:-1]], 0)
    joins &= ~before
    gone = tf.concat([tf.zeros_like(joins[:1]), joins[:-1]], 0)
    return tf.boolean_mask(tf.where(joins, joined, values), ~gone), tf.boolean_mask(rows, ~gone)


def _pair(first: Any, second: Any) -> Any:
    return first * 0x110000 + second


def _looked_up(keys: Any, table: _Table, otherwise: Any) -> Any:
    """The value of each key, int32, and `otherwise` of those that the table lacks."""
    known, values = tf.constant(table["keys"]), tf.constant(table["values"])
    keys = tf.cast(keys, tf.int64)
    place = tf.minimum(tf.searchsorted(known, keys), len(table["keys"]) - 1)
    found = tf.gather(known, place) == keys
    return tf.where(tf.reshape(found, [-1] + [1] * (values.shape.rank - 1)), tf.gather(values, place), otherwise)


@functools.cache
def _tables() -> tuple[_Table, _Table, _Table]:
    """What characters are taken apart into; pairs that are one character; and the combining classes of marks."""
    apart: dict[int, list[int]] = {}
    pairs: dict[int, int] = {}
    classes: dict[int, int] = {}
    for code in range(0xA0, _LAST):
        if 0xD800 <= code < 0xE000:  # surrogates
            continue
        character = chr(code)
        if order := unicodedata.combining(character):
            classes[code] = order
        parts = unicodedata.normalize("NFD", character)
        if parts == character:
            continue
        apart[code] = [*map(ord, parts), *[0] * (_PARTS - len(parts))]
        first = unicodedata.normalize("NFC", parts[:-1])
        if len(first) == 1 and unicodedata.normalize("NFC", character) == character:
            pairs[int(_pair(ord(first), ord(parts[-1])))] = code
    return _table(apart), _table(pairs), _table(classes)


def _table(found: Mapping[int, Any]) -> _Table:
    keys = sorted(found)
    return {"keys": np.array(keys, np.int64), "values": np.array([found[key] for key in keys], np.int32)}
