"""Texts as token numbers and back, inside the graph, for any script.

A text is cut into words, runs of letters and digits and single other characters, each with the space before it. A word
is one token if it is among the most frequent; any other is spelt in the longest pieces known, at worst in characters.
So the vocabulary stays small, no word is unknown (only characters can be), scripts without spaces work, and joining the
tokens gives the text back, whitespace aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trainer.backend import tf

PAD, START, END, UNKNOWN = range(4)
NUM_SPECIAL = 4

SPACE = "▁"
"""Stands for the space before a token, as in SentencePiece (Kudo & Richardson 2018)."""

MAX_PIECE = 6
"""Characters in a piece at most, SPACE among them."""

MAX_CHARACTERS = 8_000
"""Different characters that can be spelt with; rarer ones become UNKNOWN."""

_BACKSLASH, _QUOTE = "\x01", "\x02"
"""Stand for them in JSON, where control characters are always written otherwise."""

_PIECE_SIZES = tuple(range(2, MAX_PIECE + 1))


def index_tokens(text: Any, name: str, num_words: int, num_pieces: int) -> Any:
    """Token numbers, int64 RaggedTensor `[batch, None]`, of texts, string `[batch]`, by their own vocabularies. For use
    in `preprocess`; see `tokenizer`."""
    words = split_words(text)
    return tokenizer(words.flat_values, name, num_words, num_pieces)(words)


def tokenizer(words: Any, name: str, num_words: int, num_pieces: int) -> Callable[[Any], Any]:
    """What makes token numbers, int64 RaggedTensor `[batch, None]`, of the words of texts, string RaggedTensor of that
    shape, as `split_words` gives them. For use in `preprocess`.

    A full pass over `words`, string `[any]`, of the train split makes the vocabularies `<name>_words`,
    `<name>_characters` and `<name>_pieces`: the most frequent words, all characters, and the most frequent sequences of
    characters within words.
    """
    import tensorflow_transform as tft

    different, _, counts = tf.unique_with_counts(words)
    characters = split_characters(different)
    pieces = tf.strings.ngrams(characters, _PIECE_SIZES, separator="")
    lookups, first = [], tf.constant(NUM_SPECIAL, tf.int64)
    for part, entries, rows, top_k in (
        ("words", different, tf.range(tf.size(different)), num_words),
        ("characters", characters.flat_values, characters.value_rowids(), MAX_CHARACTERS),
        ("pieces", pieces.flat_values, pieces.value_rowids(), num_pieces),
    ):
        # With weights, equal entries of a batch are added up in the graph; without, each goes through Beam by itself.
        times = tf.cast(tf.gather(counts, rows), tf.float32)
        vocabulary = tft.vocabulary(entries, weights=times, top_k=top_k, vocab_filename=f"{name}_{part}")
        lookups.append(_lookup(vocabulary, first))
        first += tft.experimental.get_vocabulary_size_by_name(f"{name}_{part}")
    return lambda found: segment(found, *lookups)


def token_texts(vocabularies: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """The text of each token of `index_tokens`, in index order; special ones have none."""
    parts = ("words", "characters", "pieces")
    return [""] * NUM_SPECIAL + [token for part in parts for token in vocabularies[f"{name}_{part}"]]


def join_tokens(tokens: Any, texts: Sequence[str]) -> Any:
    """Texts, string `[batch]`, of token numbers int64 `[batch, tokens]`. `texts`: of `token_texts`."""
    joined = tf.strings.reduce_join(tf.gather(tf.constant(list(texts)), tokens), axis=-1)
    return tf.strings.strip(tf.strings.regex_replace(joined, SPACE, " "))


def listed(arrays: Any) -> Any:
    """The texts of JSON arrays of texts, string `[batch]`, as a column `Texts` holds them: string RaggedTensor
    `[batch, None]`. Line breaks and other control characters become spaces."""
    plain = arrays
    for escaped, stand_in in ((r"\\\\", _BACKSLASH), (r'\\"', _QUOTE), (r"\\(u[0-9a-f]{4}|[bfnrt])", " ")):
        plain = tf.strings.regex_replace(plain, escaped, stand_in)
    inner = tf.strings.regex_replace(plain, r'^\["|"\]$', "")
    parts = tf.strings.split(inner, '", "')
    texts = tf.strings.regex_replace(parts.flat_values, _QUOTE, '"')
    return parts.with_flat_values(tf.strings.regex_replace(texts, _BACKSLASH, r"\\"))


def split_words(text: Any) -> Any:
    """Words, string RaggedTensor `[batch, None]`, of texts, string `[batch]`."""
    text = tf.strings.strip(tf.strings.regex_replace(text, rf"[\s\p{{Z}}{SPACE}]+", " "))
    text = tf.strings.join([SPACE, tf.strings.regex_replace(text, " ", SPACE)])
    word = rf"({SPACE}?[\p{{L}}\p{{M}}\p{{N}}]+|{SPACE}?[^{SPACE}\p{{L}}\p{{M}}\p{{N}}])"
    return tf.strings.split(tf.strings.regex_replace(tf.strings.regex_replace(text, word, r"\1 "), f"{SPACE}$", ""))


def split_characters(words: Any) -> Any:
    """Characters, SPACE among them, string RaggedTensor `[words, None]`, of words, string `[words]`."""
    return tf.strings.unicode_split(words, "UTF-8")


def spaced_characters(text: Any) -> Any:
    """Of texts, string `[batch]`, the characters, lower-cased, with `SPACE` for any whitespace: string RaggedTensor
    `[batch, None]`."""
    spaced = tf.strings.strip(tf.strings.lower(text, encoding="utf-8"))
    return split_characters(tf.strings.regex_replace(spaced, r"\s+", SPACE))


def segment(words: Any, word_ids: Callable, character_ids: Callable, piece_ids: Callable) -> Any:
    """Tokens, int64 RaggedTensor `[batch, None]`, of words, string RaggedTensor `[batch, None]`.

    Words that are not known as such are cut from the left into the longest pieces known: WordPiece's greedy way (Wu et
    al. 2016). The callables take strings of any shape to int64 of that shape, -1 for unknown.
    """
    different, places = tf.unique(words.flat_values)
    whole = word_ids(different)
    # Of a known word one cell is looked at, which is the word.
    characters = split_characters(tf.where(whole < 0, different, "-"))
    cells = characters.to_tensor()
    columns = tf.shape(cells)[1]
    left = tf.cast(characters.row_lengths(), tf.int32)[:, None] - tf.range(columns)
    pieces = [cells]
    for size in _PIECE_SIZES:
        ahead = tf.pad(cells[:, size - 1 :], [[0, 0], [0, size - 1]])[:, :columns]
        pieces.append(tf.strings.join([pieces[-1], ahead]))
    known = tf.unstack(piece_ids(tf.stack(pieces[1:])), len(_PIECE_SIZES))
    ids, spans = character_ids(cells), tf.ones_like(left)
    for size, found in zip(_PIECE_SIZES, known, strict=True):
        fits = (found >= 0) & (left >= size)
        ids, spans = tf.where(fits, found, ids), tf.where(fits, size, spans)
    ids = tf.where(whole[:, None] < 0, tf.where(ids < 0, tf.constant(UNKNOWN, tf.int64), ids), whole[:, None])
    tokens = tf.ragged.boolean_mask(ids, _begins(spans) & (left > 0))
    return words.with_flat_values(tf.gather(tokens, places)).merge_dims(1, 2)


def _begins(spans: Any) -> Any:
    """Which cells a walk visits that starts at the first and goes on by the span of each: bool, as `spans`."""
    rows, columns = tf.unstack(tf.shape(spans))

    def walk(i: Any, next_begin: Any, begins: Any) -> tuple[Any, ...]:
        here = next_begin == i
        return i + 1, tf.where(here, i + spans[:, i], next_begin), tf.concat([begins, here[:, None]], 1)

    _, _, begins = tf.while_loop(
        lambda i, *_: i < columns,
        walk,
        (0, tf.zeros([rows], tf.int32), tf.zeros([rows, 0], tf.bool)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None, None])),
    )
    return begins


def _lookup(vocabulary: Any, first: Any) -> Callable:
    import tensorflow_transform as tft

    def look_up(strings: Any) -> Any:
        found = tft.apply_vocabulary(strings, vocabulary, default_value=-1)
        return tf.where(found < 0, found, found + first)

    return look_up
