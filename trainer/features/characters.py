"""Texts as characters, Unicode code points, by number and back, inside the graph, for any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.backend import tf

PAD, UNKNOWN = range(2)
NUM_SPECIAL = 2

MAX_CHARACTERS = 8_000
"""Different characters that are told apart; rarer ones are UNKNOWN."""

LEAST_FREQUENT = 2
"""How often a character of its own stands in the train split at least. One that stands there once is UNKNOWN, so that
it is learnt how likely an unknown character is."""

VOCABULARY = "characters"

SPELLING_BITS = 20.0875
"""log2 of all code points: what it takes to say which character an UNKNOWN is, of those that Unicode may have."""


def index_excerpts(text: Any, before: Any, characters: int, context: int) -> Any:
    """Numbers of characters, int64 `[batch, context + characters]`: what is before an excerpt, flush right, then the
    excerpt, flush left; PAD elsewhere. For use in `preprocess`.

    A full pass over the train split makes the vocabulary VOCABULARY of code points, the most frequent first: as decimal
    numbers, since a line feed would not stand in a file of a line each, and as texts, since all tables of a process
    that are made of files must be of one type.

    Args:
      text, before: strings `[batch]` of at most `characters` and `context` code points.
    """
    import tensorflow_transform as tft

    here, ahead = code_points(text), code_points(before)
    vocabulary = tft.vocabulary(
        tf.strings.as_string(here.flat_values),
        top_k=MAX_CHARACTERS,
        frequency_threshold=LEAST_FREQUENT,
        vocab_filename=VOCABULARY,
    )

    def numbers(points: Any) -> Any:
        spelt = tf.strings.as_string(points.flat_values)
        found = tft.apply_vocabulary(spelt, vocabulary, default_value=UNKNOWN - NUM_SPECIAL)
        return points.with_flat_values(found + NUM_SPECIAL)

    left = tf.reverse(tf.reverse(numbers(ahead), [1]).to_tensor(PAD, shape=[None, context]), [1])
    return tf.concat([left, numbers(here).to_tensor(PAD, shape=[None, characters])], 1)


def code_points(text: Any) -> Any:
    """int64 RaggedTensor `[batch, None]` of strings `[batch]`; what is no UTF-8 is U+FFFD."""
    return tf.cast(tf.strings.unicode_decode(text, "UTF-8"), tf.int64)


def points_of(vocabularies: Mapping[str, Sequence[str]]) -> list[int]:
    """The code point of each character of the vocabulary, in index order."""
    return [int(point) for point in vocabularies[VOCABULARY]]


def index_texts(text: Any, points: Sequence[int]) -> Any:
    """Numbers of all characters of strings `[batch]`: int64 `[batch, longest]`, flush right, PAD before them. Without
    lookup tables, for use in `predict`; `points` are of `points_of`."""
    order = sorted(range(len(points)), key=lambda i: points[i])
    ascending = tf.constant([points[i] for i in order], tf.int64)
    numbers = tf.constant([i + NUM_SPECIAL for i in order], tf.int64)
    found = code_points(text)
    place = tf.minimum(tf.searchsorted(ascending, found.flat_values), len(points) - 1)
    known = tf.where(tf.gather(ascending, place) == found.flat_values, tf.gather(numbers, place), UNKNOWN)
    return tf.reverse(tf.reverse(found.with_flat_values(known), [1]).to_tensor(PAD), [1])


def join_characters(numbers: Any, points: Sequence[int], lengths: Any) -> Any:
    """Texts, string `[batch]`, of the first `lengths` of the characters int64 `[batch, characters]`, none of which is
    special."""
    found = tf.gather(tf.constant([0xFFFD] * NUM_SPECIAL + list(points), tf.int32), numbers)
    return tf.strings.unicode_encode(tf.RaggedTensor.from_tensor(found, lengths), "UTF-8")
