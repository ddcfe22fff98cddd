"""A smoothed n-gram model as weights of a network, inside the graph. Imports TensorFlow; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.references.kneser_ney import KneserNey


class NGrams(tf.keras.layers.Layer):
    """The probabilities of a `KneserNey` model, in weights that are not trained: some 12 bytes for each n-gram."""

    def __init__(self, model: KneserNey) -> None:
        super().__init__(trainable=False)
        self._size = model.size

        def weight(name: str, values: Any, dtype: Any) -> Any:
            initial = tf.constant_initializer(np.asarray(values, dtype.as_numpy_dtype))
            return self.add_weight(name, [len(values)], dtype, initial, trainable=False)

        self._tables = [
            {
                "histories": weight(f"histories_{n}", table.histories, tf.int64),
                "keys": weight(f"keys_{n}", table.keys, tf.int64),
                "counts": weight(f"counts_{n}", table.counts, tf.float32),
                "totals": weight(f"totals_{n}", table.totals, tf.float32),
                "left": weight(f"left_{n}", table.left, tf.float32),
                "discounts": weight(f"discounts_{n}", table.discounts, tf.float32),
            }
            for n, table in enumerate(model.tables)
        ]

    @property
    def order(self) -> int:
        return len(self._tables)

    def probabilities(self, windows: Any, leave_one_out: bool = False) -> Any:
        """float32 `[n]` of the last number of each window, int64 `[n, order]`, by those before it.

        With `leave_one_out`, for windows of the train text, as if each had not been counted: what was seen once only is
        new then, also to the shorter order.
        """
        places = self._places(windows)
        counts = [tf.where(at >= 0, tf.gather(t["counts"], tf.maximum(at, 0)), 0.0) for t, (_, at) in places]
        left_out = [tf.zeros_like(counts[-1])] * len(counts)
        if leave_one_out:
            left_out[-1] = tf.minimum(counts[-1], 1.0)
            for length in reversed(range(len(counts) - 1)):
                gone = tf.cast(counts[length + 1] <= 1.0, tf.float32)
                left_out[length] = tf.minimum(counts[length], left_out[length + 1] * gone)
        found = tf.fill(tf.shape(counts[0]), 1.0 / self._size)
        for (table, (history, _)), count, out in zip(places, counts, left_out, strict=True):
            known = tf.maximum(history, 0)
            before, after = _discount(table, count), _discount(table, count - out)
            left = tf.gather(table["left"], known) - before + after
            total = tf.gather(table["totals"], known) - out
            mixed = tf.math.divide_no_nan(count - out - after + left * found, total)
            found = tf.where((history >= 0) & (total > 0), mixed, found)
        return found

    def _places(self, windows: Any) -> list[Any]:
        """Of each order its table, and where the history and the n-gram of each window stand in it."""
        history, found = tf.zeros_like(windows[:, -1]), []
        for length, table in enumerate(self._tables):
            if length:
                history = _find(table["histories"], history * self._size + windows[:, -1 - length])
            found.append((table, (history, _find(table["keys"], history * self._size + windows[:, -1]))))
        return found

    def following(self, before: Any) -> Any:
        """float32 `[batch, size]`: the probability of each number behind some, int64 `[batch, order - 1]`."""
        batch = tf.shape(before)[0]
        each = tf.tile(tf.range(self._size, dtype=tf.int64), [batch])
        windows = tf.concat([tf.repeat(before, self._size, 0), each[:, None]], 1)
        return tf.reshape(self.probabilities(windows), [batch, self._size])


def _find(ordered: Any, wanted: Any) -> Any:
    """The place of each wanted key, -1 where it is not there."""
    ordered = tf.convert_to_tensor(ordered)
    place = tf.minimum(tf.searchsorted(ordered, wanted, out_type=tf.int64), tf.shape(ordered, tf.int64)[0] - 1)
    return tf.where(tf.gather(ordered, place) == wanted, place, tf.constant(-1, tf.int64))


def _discount(table: Any, counts: Any) -> Any:
    return tf.gather(table["discounts"], tf.cast(tf.minimum(counts, 3.0), tf.int32))
