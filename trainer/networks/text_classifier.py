"""Classifiers of texts: a network that reads the words in their order, and beside it a linear one of words and pairs.

The two err otherwise, so that the mean of their log-probabilities is right more often than either. The linear one is
fitted by itself and learns no more, and the network learns as if it were alone: trained together, it would find nothing
left to learn.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.linear_text import LinearText

WEIGHED = 10
"""Words of a text that are named as those that weighed most."""


class TextClassifier(tf.keras.Model):
    """Called on `words`, fingerprints int32 `[batch, words]`, and `length`, int64 `[batch]`, it gives the network's
    logits `[batch, classes]` by the name of the target.

    Args:
      vectors: `WordVectors`.
      encoder: a layer of vectors `[batch, words, size]` and lengths, with a `size` of what it gives.
      linear: `LinearText`.
      classes: how many there are.
      target: the feature that holds the class.
    """

    def __init__(
        self, vectors: Any, encoder: Any, linear: LinearText, classes: int, dropout: float, target: str
    ) -> None:
        super().__init__()
        layers = tf.keras.layers
        self.vectors, self.encoder, self.linear = vectors, encoder, linear
        self._target = target
        self._word_dropout = layers.SpatialDropout1D(dropout / 2)
        self._dropout = layers.Dropout(dropout)
        self.head = layers.Dense(classes, dtype="float32")
        self.head.build([None, 2 * encoder.size])
        self.built = True

    def call(self, features: Any, training: bool = False) -> dict[str, Any]:
        return {self._target: self._read(self.vectors(features["words"]), features, training)}

    def _read(self, x: Any, features: Any, training: bool) -> Any:
        """Logits float32 `[batch, classes]` of vectors `[batch, words, size]`: the highest and the mean of what the
        encoder gives of each word."""
        lengths = tf.cast(features["length"], tf.int32)
        there = tf.cast(tf.sequence_mask(lengths, tf.shape(x)[1])[..., None], x.dtype)
        x = self._word_dropout(x, training=training) * there
        x = self.encoder(x, lengths, training=training)
        highest = tf.reduce_max(x * there - (1 - there) * _FAR, axis=1)
        highest *= tf.cast(lengths[:, None] > 0, x.dtype)
        mean = tf.reduce_sum(x * there, axis=1) / tf.maximum(tf.reduce_sum(there, axis=1), 1)
        return self.head(self._dropout(tf.concat([highest, mean], axis=-1), training=training))

    def answered(self, features: Any) -> tuple[Any, Any]:
        """Log-probabilities float32 `[batch, classes]` of both together, and how much each word weighed in the answer.

        Of the network a word's weight is its vector times the gradient of the answer's logit above the mean of the
        others (Denil et al. 2014), of the linear classifier what the word adds to its log-odds; float32
        `[batch, words]`, above 0 where a word speaks for the answer.
        """
        x = self.vectors(features["words"])
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = self._read(x, features, training=False)
            both = tf.nn.log_softmax(logits) + tf.nn.log_softmax(self.linear(features["words"]))
            log_probabilities = tf.nn.log_softmax(both / 2)
            answers = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)
            margin = tf.reduce_sum(_margins(logits, answers))
        of_network = tf.reduce_sum(tf.cast(x * tape.gradient(margin, x), tf.float32), axis=-1)
        of_linear = self.linear.contributions(features["words"], answers)
        there = tf.sequence_mask(features["length"], tf.shape(x)[1], dtype=tf.float32)
        return log_probabilities, (of_network + of_linear) / 2 * there


def _margins(logits: Any, answers: Any) -> Any:
    """The logit of each answer above the mean of the others, `[batch]`, of logits `[batch, classes]`."""
    own = tf.gather(logits, answers, batch_dims=1)
    others = tf.cast(tf.maximum(tf.shape(logits)[1] - 1, 1), logits.dtype)
    return own - (tf.reduce_sum(logits, axis=1) - own) / others


_FAR = 1e4
"""Below what any unit gives: padding is never the highest."""


def weighed_most(weights: Any, words: Any, begins: Any) -> dict[str, Any]:
    """The `WEIGHED` words of each text whose weight is farthest from 0, the farthest first.

    Args:
      weights: float32 `[batch, words]`.
      words: string `[batch, words]`, "" where there is none.
      begins: int64 `[batch, words]`, the character of the text at which each begins.

    Returns:
      `weighed_words` string, `weights` float32 and `begins` int64, `[batch, WEIGHED]` each; where a text has fewer
      words "", 0 and -1 stand behind them.
    """
    none = words == ""
    size = tf.where(none, -1.0, tf.abs(weights))
    room = tf.maximum(WEIGHED - tf.shape(size)[1], 0)
    _, chosen = tf.math.top_k(tf.pad(size, [[0, 0], [0, room]], constant_values=-1.0), WEIGHED)

    def picked(values: Any, otherwise: Any) -> Any:
        filled = tf.where(none, tf.constant(otherwise, values.dtype), values)
        padded = tf.pad(filled, [[0, 0], [0, room]], constant_values=otherwise)
        return tf.gather(padded, chosen, batch_dims=1)

    return {"weighed_words": picked(words, ""), "weights": picked(weights, 0.0), "begins": picked(begins, -1)}
