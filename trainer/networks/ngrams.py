"""A smoothed n-gram model as weights of a network, inside the graph. Imports TensorFlow; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.references.kneser_ney import KneserNey


class NGrams(tf.keras.layers.Layer):
    """The probabilities of a `KneserNey` model, in weights that are not trained: some 20 bytes for each n-gram."""

    def __init__(self, model: KneserNey) -> None:
        super().__init__(trainable=False)
        self._size = model.size

        def weight(name: str, values: Any, dtype: Any) -> Any:
            initial = tf.constant_initializer(np.asarray(values, dtype.as_numpy_dtype))
            return self.add_weight(name, [len(values)], dtype, initial, trainable=False)

        self._tables = [
            (
                weight(f"histories_{n}", table.histories, tf.int64),
                weight(f"keys_{n}", table.keys, tf.int64),
                weight(f"kept_{n}", table.kept, tf.float32),
                weight(f"left_{n}", table.left, tf.float32),
            )
            for n, table in enumerate(model.tables)
        ]

    @property
    def order(self) -> int:
        return len(self._tables)

    def probabilities(self, windows: Any) -> Any:
        """float32 `[n]` of the last number of each window, int64 `[n, order]`, by those before it."""
        history = tf.zeros_like(windows[:, -1])
        found = tf.fill(tf.shape(history), 1.0 / self._size)
        for length, (histories, keys, kept, left) in enumerate(self._tables):
            if length:
                history = _find(histories, history * self._size + windows[:, -1 - length])
            at = _find(keys, history * self._size + windows[:, -1])
            own = tf.where(at >= 0, tf.gather(kept, tf.maximum(at, 0)), 0.0)
            mixed = own + tf.gather(left, tf.maximum(history, 0)) * found
            found = tf.where(history >= 0, mixed, found)
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
