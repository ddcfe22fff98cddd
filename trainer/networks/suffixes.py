"""The suffix array of a text (Manber & Myers 1993) as weights of a model: how much of another text is copied from it.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf

LONGEST = 256
"""Characters of a copy that are counted; a longer one counts as so many."""


class Suffixes(tf.keras.layers.Layer):
    """Where each stretch of a text begins, in the order of the stretches, up to LONGEST characters of each.

    8 bytes for each character of the text, in weights that are not trained.
    """

    def __init__(self, text: np.ndarray[Any, Any]) -> None:
        """`text`: numbers from 0 on, `[characters]`, at least one."""
        super().__init__(trainable=False, dtype="int32")
        order = suffix_array(text)
        self._size = len(text)
        self._text, self._order = (
            self.add_weight(
                name, [self._size], tf.int32, tf.constant_initializer(values.astype(np.int32)), trainable=False
            )
            for name, values in (("text", text), ("order", order))
        )

    def longest_copy(self, others: Any, lengths: Any) -> Any:
        """The longest stretch that each of `others`, numbers `[batch, characters]` of which the first `lengths` count,
        has in common with the text: int32 `[batch]`, at most LONGEST."""
        others = tf.cast(others, tf.int32)
        batch, characters = tf.unstack(tf.shape(others))
        inside = tf.range(characters)[None] < tf.cast(lengths, tf.int32)[:, None]
        padded = tf.pad(tf.where(inside, others, -1), [[0, 0], [0, LONGEST]], constant_values=-1)
        windows = tf.gather(padded, tf.range(characters)[:, None] + tf.range(LONGEST)[None], axis=1)
        windows = tf.reshape(windows, [-1, LONGEST])
        low = tf.zeros([batch * characters], tf.int32)
        high = tf.fill([batch * characters], self._size)

        def halve(low: Any, high: Any) -> tuple[Any, Any]:
            middle = (low + high) // 2
            common, smaller = self._compare(windows, tf.minimum(middle, self._size - 1))
            below = smaller & (common < LONGEST) & (low < high)
            return tf.where(below, middle + 1, low), tf.where(below, high, tf.where(low < high, middle, high))

        low, _ = tf.while_loop(lambda low, high: tf.reduce_any(low < high), halve, (low, high))
        neighbours = [tf.clip_by_value(low + shift, 0, self._size - 1) for shift in (-1, 0)]
        common = tf.maximum(*(self._compare(windows, place)[0] for place in neighbours))
        return tf.reduce_max(tf.reshape(common, [batch, characters]), 1)

    def _compare(self, windows: Any, places: Any) -> tuple[Any, Any]:
        """How many first characters of each window are those of the suffix at a place of the order, and whether the
        suffix comes before the window."""
        at = tf.gather(self._order, places)[:, None] + tf.range(LONGEST)[None]
        here = tf.where(at < self._size, tf.gather(self._text, tf.minimum(at, self._size - 1)), -2)
        other = tf.cast(here != windows, tf.int32)
        place = tf.argmax(other, 1, output_type=tf.int32)  # the first that is not the same; 0 if all are
        common = tf.where(tf.gather(other, place, batch_dims=1) > 0, place, LONGEST)
        return common, tf.gather(here, place, batch_dims=1) < tf.gather(windows, place, batch_dims=1)


def suffix_array(text: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where the suffixes of a text begin, in their order by their first LONGEST numbers: int64 `[characters]`.

    By doubling: what is ordered by its first n numbers is ordered by its first 2 n by the ranks of its two halves.
    """
    symbols = np.unique(text, return_inverse=True)[1].astype(np.int64) + 1
    base, length, rank = int(symbols.max()) + 1, 1, symbols
    while length < LONGEST and base ** (2 * length) < 2**62:  # several numbers make one, as long as they fit
        rank = rank * base**length + _shifted(rank, length)
        length *= 2
    order = np.argsort(rank)
    rank = _ranks(rank, order)
    while length < LONGEST and rank[order[-1]] < len(text):
        key = rank * (len(text) + 1) + _shifted(rank, length)
        order = np.argsort(key)
        rank = _ranks(key, order)
        length *= 2
    return order


def _shifted(values: np.ndarray[Any, Any], by: int) -> np.ndarray[Any, Any]:
    """What stands `by` places later, 0 behind the end."""
    return np.concatenate([values[by:], np.zeros(min(by, len(values)), values.dtype)])


def _ranks(keys: np.ndarray[Any, Any], order: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The rank of each key, from 1 on, equal for equal ones; `order` sorts them."""
    ordered, ranks = keys[order], np.empty(len(keys), np.int64)
    ranks[order] = np.concatenate([[1], 1 + np.cumsum(ordered[1:] != ordered[:-1])])
    return ranks


def rejoined(excerpts: np.ndarray[Any, Any], context: int, pad: int) -> np.ndarray[Any, Any]:
    """The texts that excerpts were cut from, one after the other with a `pad` behind each: int64 `[characters]`.

    Args:
      excerpts: `[n, context + characters]` in any order, each with what is before it, `pad` where there is nothing.
    """
    before, here = np.ascontiguousarray(excerpts[:, :context]), excerpts[:, context:]
    by_end: dict[bytes, list[int]] = {}
    for i, row in enumerate(np.ascontiguousarray(here[:, -context:])):
        by_end.setdefault(row.tobytes(), []).append(i)
    follower = np.full(len(excerpts), -1)
    begins = []
    for i, row in enumerate(before):
        waiting = by_end.get(row.tobytes())
        if row[-1] != pad and waiting:
            follower[waiting.pop()] = i
        else:
            begins.append(i)
    parts, seen = [], np.zeros(len(excerpts), bool)
    for begin in [*begins, *range(len(excerpts))]:  # the second half for excerpts that follow each other in a ring
        i = begin
        if not seen[i]:
            parts.append(before[i][before[i] != pad])
        while i >= 0 and not seen[i]:
            seen[i] = True
            parts.append(here[i][here[i] != pad])
            i = follower[i]
        if parts and (not len(parts[-1]) or parts[-1][-1] != pad):
            parts.append(np.array([pad]))
    return np.concatenate(parts).astype(np.int64)
