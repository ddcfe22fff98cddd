"""Words of a text with their places in it, and marked passages as the tags of words and back, inside the graph, for any
script.

A word is finer here than in `trainer.features.words`, since a passage may end within one of those, as in "5pm": a run
of letters or a run of digits; letters of scripts that write no spaces (Chinese, Japanese, Thai, Lao,
Khmer, Burmese, Tibetan) and all other signs stand alone. Combining marks, joiners and what a joiner joins stay with
what stands before them, so that an emoji of several code points is one word. Only white space is no word. Places are
counted in code points, as Python counts them, and an end is the first behind.

Tags number what a word is: `PAD`, `OUTSIDE`, then for each name B, which begins a passage, and I, which goes on
(Ramshaw & Marcus 1995, "Text Chunking using Transformation-Based Learning").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainer.backend import tf
from trainer.features import words

PAD, UNKNOWN = range(2)
"""Of words."""
FIRST_WORD = 2
OUTSIDE = 1
FIRST_TAG = 2
NONE = -1
"""Fills up rows of spans."""

_SPACE = r"[\s\p{Z}\x{85}]"
_JOINED = r"[\p{M}\p{Cf}\x{1F3FB}-\x{1F3FF}]"
_JOINER = "\u200d"
_ALONE = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_AFFIX = 3


@dataclass(frozen=True)
class Located:
    """Words, string RaggedTensor `[batch, None]`, and where each starts and ends, int64 RaggedTensors of that shape."""

    words: Any
    starts: Any
    ends: Any


def locate(text: Any) -> Located:
    """The words of texts, string `[batch]`."""
    characters = tf.strings.unicode_split(text, "UTF-8")
    places = tf.ragged.range(characters.row_lengths())
    flat = characters.flat_values
    spaces, joined = (tf.strings.regex_full_match(flat, pattern) for pattern in (_SPACE, _JOINED))
    alone = tf.strings.regex_full_match(flat, _ALONE)
    letters = tf.strings.regex_full_match(flat, r"\p{L}") & ~alone
    digits = tf.strings.regex_full_match(flat, r"\p{N}")
    first = places.flat_values == 0

    def before(flags: Any) -> Any:
        """Of the character before, in the same text."""
        return tf.concat([[False], flags[:-1]], 0)[: tf.size(flags)] & ~first

    goes_on = joined | before(flat == _JOINER) | letters & before(letters | joined) | digits & before(digits)
    begins = ~spaces & ~(goes_on & before(~spaces))
    kept = characters.with_flat_values(~spaces)
    number = tf.cumsum(tf.cast(tf.boolean_mask(begins, ~spaces), tf.int64)) - 1
    grouped = tf.RaggedTensor.from_value_rowids(tf.boolean_mask(flat, ~spaces), number)
    found = tf.strings.reduce_join(grouped, axis=-1)
    lengths = tf.reduce_sum(tf.cast(characters.with_flat_values(begins), tf.int64), axis=1)
    starts = tf.boolean_mask(places.flat_values, begins)
    ends = tf.math.segment_max(tf.ragged.boolean_mask(places, kept).flat_values, number) + 1
    return Located(*(tf.RaggedTensor.from_row_lengths(part, lengths) for part in (found, starts, ends)))


def alike(located: Any) -> Any:
    """Words in the form in which those that are the same are equal, each digit as 0, so that numbers of one length are
    (Lample et al. 2016): string RaggedTensor, as given."""
    same = words.normalised(located)
    return same.with_flat_values(tf.strings.regex_replace(same.flat_values, r"\p{N}", "0"))


def affixes(located: Any, buckets: int) -> tuple[Any, Any]:
    """The first and the last `_AFFIX` characters of each word as numbers from 1 to `buckets`, int64 RaggedTensors."""
    flat = located.flat_values
    length = tf.minimum(tf.strings.length(flat, "UTF8_CHAR"), _AFFIX)
    heads = tf.strings.substr(flat, tf.zeros_like(length), length, "UTF8_CHAR")
    tails = tf.strings.substr(flat, -length, length, "UTF8_CHAR")
    first, last = (1 + tf.strings.to_hash_bucket_fast(part, buckets) for part in (heads, tails))
    return located.with_flat_values(first), located.with_flat_values(last)


def num_tags(names: Sequence[str]) -> int:
    return FIRST_TAG + 2 * len(names)


def tags_of(spans: Any, starts: Any, ends: Any) -> Any:
    """The tag of each word: int64 `[batch, words]`. A word that lies in a passage in part belongs to it.

    Args:
      spans: int64 `[batch, passages, 3]`, of each the start, the end and the place of its name, in the order of the
        text; what has no place, and rows of NONE, are outside.
      starts, ends: int64 `[batch, words]` of the words; 0 and 0 of padding, which becomes PAD.
    """
    inside = (spans[:, None, :, 0] < ends[:, :, None]) & (starts[:, :, None] < spans[:, None, :, 1])
    inside &= spans[:, None, :, 2] >= 0
    count = tf.shape(spans)[1]
    which = tf.where(tf.reduce_any(inside, 2), tf.argmax(tf.cast(inside, tf.int32), 2, tf.int32), NONE)
    name = tf.gather(spans[:, :, 2], tf.clip_by_value(which, 0, tf.maximum(count - 1, 0)), batch_dims=1)
    goes_on = which == tf.pad(which, [[0, 0], [1, 0]], constant_values=NONE)[:, :-1]
    tags = tf.where(which >= 0, FIRST_TAG + 2 * name + tf.cast(goes_on, tf.int64), OUTSIDE)
    return tf.where(ends > 0, tags, PAD)


def spans_of(tags: Any, starts: Any, ends: Any) -> Any:
    """The passages of tags, int64 `[batch, most passages, 3]` as in `tags_of`, filled up with NONE.

    I that follows nothing of its name begins a passage, as the CoNLL script has it.
    """
    inside, name = tags >= FIRST_TAG, (tags - FIRST_TAG) // 2
    before = tf.pad(tags, [[0, 0], [1, 0]])[:, :-1]
    same = (before >= FIRST_TAG) & ((before - FIRST_TAG) // 2 == name)
    begins = inside & ((tags % 2 == FIRST_TAG % 2) | ~same)
    number = tf.cumsum(tf.cast(begins, tf.int64), axis=1) - 1
    most = tf.maximum(tf.reduce_max(number) + 1, 0)
    mine = inside[:, :, None] & (number[:, :, None] == tf.range(most))
    far = tf.constant(1 << 40, tf.int64)
    found = tf.stack(
        [
            tf.reduce_min(tf.where(mine, starts[:, :, None], far), 1),
            tf.reduce_max(tf.where(mine, ends[:, :, None], NONE), 1),
            tf.reduce_max(tf.where(mine, name[:, :, None], NONE), 1),
        ],
        axis=-1,
    )
    return tf.where(tf.reduce_any(mine, 1)[:, :, None], found, NONE)


def as_json(spans: Any, names: Sequence[str]) -> Any:
    """Passages as people read them, string `[batch]`: a JSON list of start, end and name. `spans` as in `tags_of`."""
    import json

    known = tf.constant([json.dumps(name, ensure_ascii=False) for name in names] or [""])
    numbers = tf.strings.as_string(spans)
    name = tf.gather(known, tf.maximum(spans[:, :, 2], 0))
    parts = ['{"start": ', numbers[:, :, 0], ', "end": ', numbers[:, :, 1], ', "name": ', name, "}"]
    ragged = tf.ragged.boolean_mask(tf.strings.join(parts), spans[:, :, 0] >= 0)
    return tf.strings.join(["[", tf.strings.reduce_join(ragged, axis=-1, separator=", "), "]"])


def index_words(located: Any, name: str, limit: int) -> Any:
    """Numbers of words, int64 RaggedTensor, as given; UNKNOWN of those that are none of the train split's `limit` most
    frequent, which are the vocabulary `name`. A full pass, for use in `preprocess`."""
    import tensorflow_transform as tft

    same = alike(located)
    found = tft.compute_and_apply_vocabulary(same.flat_values, top_k=limit, default_value=-1, vocab_filename=name)
    return same.with_flat_values(tf.where(found < 0, tf.constant(UNKNOWN, tf.int64), found + FIRST_WORD))


def index_spans(inputs: Any, name: str, most: int) -> Any:
    """The passages of a column of `data.columns.Tags`, int64 `[batch, most, 3]` as in `tags_of`; -1 for a name that the
    train split lacks. A full pass, for use in `preprocess`: the vocabulary `name` is the passages' names."""
    import tensorflow_transform as tft

    label = tft.compute_and_apply_vocabulary(inputs[f"{name}_label"], default_value=-1, vocab_filename=name)
    parts = (inputs[f"{name}_start"], inputs[f"{name}_end"], label)
    rows = [tf.RaggedTensor.from_sparse(part).to_tensor(NONE, shape=[None, most]) for part in parts]
    return tf.stack(rows, axis=-1)
