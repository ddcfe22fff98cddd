"""Networks that read the vectors of a text's words and give each a vector that knows its neighbours.

A text of any length is read in stretches of `STRETCH` words, each by itself, so that memory and the number of steps in
a row stay bounded and nothing is cut. What stands in a batch beside a text changes nothing in what it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.backend import tf
from trainer.networks.recurrent import lstm

STRETCH = 128
"""Words."""


def in_stretches(x: Any, lengths: Any, read: Callable[[Any, Any], Any]) -> Any:
    """What `read(x, lengths)` gives of each stretch, side by side: `[batch, words, size]` to `[batch, words, other]`.

    Args:
      lengths: int32 `[batch]`; what stands behind them is padding.
    """
    batch, count = tf.shape(x)[0], tf.shape(x)[1]
    stretches = tf.maximum((count + STRETCH - 1) // STRETCH, 1)
    each = tf.where(stretches > 1, STRETCH, count)
    padded = tf.pad(x, [[0, 0], [0, stretches * each - count], [0, 0]])
    parts = tf.reshape(padded, [batch * stretches, each, x.shape[-1]])
    of_parts = tf.clip_by_value(lengths[:, None] - each * tf.range(stretches), 0, each)
    found = read(parts, tf.reshape(of_parts, [-1]))
    return tf.reshape(found, [batch, stretches * each, found.shape[-1]])[:, :count]


class BiLstm(tf.keras.layers.Layer):
    """LSTM (Hochreiter & Schmidhuber 1997) in both directions, `units` of each."""

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.size = 2 * units
        self._ahead, self._back = (lstm(units, return_sequences=True) for _ in range(2))
        for layer in (self._ahead, self._back):
            layer.build(tf.TensorShape([None, None, size]))
        self.built = True

    def call(self, x: Any, lengths: Any, training: bool = False) -> Any:
        """float32 `[batch, words, 2 units]`, of no use behind `lengths`."""
        return in_stretches(x, lengths, self._read)

    def _read(self, x: Any, lengths: Any) -> Any:
        back = self._back(tf.reverse_sequence(x, lengths, seq_axis=1))
        return tf.concat([self._ahead(x), tf.reverse_sequence(back, lengths, seq_axis=1)], axis=-1)


class TransformerEncoder(tf.keras.layers.Layer):
    """Self-attention (Vaswani et al. 2017), normalised before each part (Xiong et al. 2020), with learnt positions."""

    def __init__(self, size: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.size = size
        self._positions = self.add_weight(
            "positions", [STRETCH, size], initializer=tf.keras.initializers.RandomNormal(stddev=0.1)
        )
        self._blocks = [_Block(size, heads, dropout) for _ in range(layers)]
        self._norm, self._dropout = tf.keras.layers.LayerNormalization(), tf.keras.layers.Dropout(dropout)
        self._norm.build([None, None, size])
        self.built = True

    def call(self, x: Any, lengths: Any, training: bool = False) -> Any:
        """float32 `[batch, words, size]`, of no use behind `lengths`."""
        return in_stretches(x, lengths, lambda part, there: self._read(part, there, training))

    def _read(self, x: Any, lengths: Any, training: bool) -> Any:
        x = self._dropout(x + self._positions[: tf.shape(x)[1]], training=training)
        there = tf.sequence_mask(lengths, tf.shape(x)[1])[:, None]
        for block in self._blocks:
            x = block(x, there, training=training)
        return self._norm(x)


class _Block(tf.keras.layers.Layer):
    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        layers = tf.keras.layers
        self._attention = layers.MultiHeadAttention(heads, size // heads, dropout=dropout)
        self._attention(*[tf.zeros([1, 1, size])] * 2)  # makes its weights
        self._wide, self._narrow = layers.Dense(2 * size, activation="gelu"), layers.Dense(size)
        self._norms = [layers.LayerNormalization() for _ in range(2)]
        self._dropout = layers.Dropout(dropout)
        self._wide.build([None, None, size])
        self._narrow.build([None, None, 2 * size])
        for norm in self._norms:
            norm.build([None, None, size])
        self.built = True

    def call(self, x: Any, there: Any, training: bool = False) -> Any:
        first = self._norms[0](x)
        seen = self._attention(first, first, attention_mask=there, training=training)
        x += self._dropout(seen, training=training)
        return x + self._dropout(self._narrow(self._wide(self._norms[1](x))), training=training)
