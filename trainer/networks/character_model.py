"""A recurrent model of texts, character by character (Graves 2013), which knows its train text, to tell copies.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features.characters import NUM_SPECIAL, PAD
from trainer.networks.suffixes import Suffixes

MOST = 5
"""Characters that have an embedding together."""

_MULTIPLIER = 1_000_003


class CharacterModel(tf.keras.Model):
    """Logits of the next character, given those before it.

    A character is embedded, and with it the last ones, two to MOST of them, each by a table of its own into which they
    are hashed, so that rare ones may share a row (Mikolov et al. 2011). Layers of LSTM (Hochreiter & Schmidhuber 1997)
    read that, each but the first also the one before it; the output layer reads all of them and the embeddings. PAD
    changes no state, and before the first character all states are 0.

    Characters are int64 `[batch, steps]`, PAD before the first and behind the last.
    """

    def __init__(
        self,
        num_characters: int,
        embedding_size: int,
        units: int,
        layers: int,
        buckets: int,
        dropout: float,
        remembered: np.ndarray[Any, Any],
    ) -> None:
        """
        Args:
          num_characters: special ones included.
          buckets: rows of each table of the last characters, 0 for no such tables.
          dropout: share of what goes from one layer to the next that is zeroed in training.
          remembered: the train text, by which `suffixes` finds what is copied.
        """
        super().__init__()
        make = tf.keras.layers
        self._buckets = buckets
        sizes = [num_characters, *([buckets] * (MOST - 1) if buckets else [])]
        self.embeddings = [make.Embedding(size, embedding_size) for size in sizes]
        self.recurrent = [make.LSTM(units, return_sequences=True, return_state=True) for _ in range(layers)]
        self.dropout = make.Dropout(dropout)
        self.output_layer = make.Dense(num_characters, dtype="float32")
        self.suffixes = Suffixes(remembered)
        self._mean_loss = tf.keras.metrics.Mean(name="loss")
        self._mean_bits = tf.keras.metrics.Mean(name="bits_per_character")
        embedded = embedding_size * len(sizes)
        for embedding in self.embeddings:
            embedding.build(None)
        for i, layer in enumerate(self.recurrent):
            layer.build((None, None, embedded + (units if i else 0)))
        self.output_layer.build((None, None, embedded + layers * units))

    def call(self, characters: Any, training: bool = False) -> Any:
        """Logits float32 `[batch, steps, num_characters]` of the character after each."""
        return self._read(characters, training)[0]

    def read(self, characters: Any) -> list[Any]:
        """The state behind some characters `[batch, steps]`, at least one step: the last ones int64 `[batch, MOST - 1]`
        and two tensors float `[batch, units]` a layer."""
        last = tf.pad(characters, [[0, 0], [MOST - 1, 0]], constant_values=PAD)[:, 1 - MOST :]
        return [last, *self._read(characters, training=False)[1]]

    def step(self, characters: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        """The logits `[batch, num_characters]` of what follows one more character, `[batch]`, and the state behind it.

        Special characters are never to follow.
        """
        last = tf.concat([state[0], characters[:, None]], 1)
        embedded = self._embedded(last)[:, -1]
        pad = (characters == PAD)[:, None]
        outputs: list[Any] = []
        after = [last[:, 1:]]
        for i, layer in enumerate(self.recurrent):
            old = state[2 * i + 1 : 2 * i + 3]
            _, new = layer.cell(tf.concat([embedded, *outputs[-1:]], -1), old)
            new = [tf.where(pad, before, behind) for before, behind in zip(old, new, strict=True)]
            outputs.append(new[0])
            after += new
        logits = self.output_layer(tf.concat([embedded, *outputs], -1))
        special = tf.range(tf.shape(logits)[-1]) < NUM_SPECIAL
        return tf.where(special, -float("inf"), logits), after

    def _embedded(self, characters: Any) -> Any:
        """Of each character and the last ones up to it, `[batch, steps, size]`."""
        found = [self.embeddings[0](characters)]
        hashed = characters
        for back, embedding in enumerate(self.embeddings[1:], start=1):
            earlier = tf.pad(characters, [[0, 0], [back, 0]], constant_values=PAD)[:, : tf.shape(characters)[1]]
            hashed = hashed * _MULTIPLIER + earlier + 1
            hashed = tf.bitwise.bitwise_xor(hashed, tf.bitwise.right_shift(hashed, tf.constant(17, tf.int64)))
            found.append(embedding(tf.math.floormod(hashed, self._buckets)))
        return tf.concat(found, -1)

    def _read(self, characters: Any, training: bool) -> tuple[Any, list[Any]]:
        embedded, mask = self._embedded(characters), characters != PAD
        outputs: list[Any] = []
        after: list[Any] = []
        for layer in self.recurrent:
            x = self.dropout(tf.concat([embedded, *outputs[-1:]], -1), training=training)
            x, *new = layer(x, mask=mask)
            outputs.append(x)
            after += new
        found = self.dropout(tf.concat([embedded, *outputs], -1), training=training)
        return self.output_layer(found), after

    def nats(self, characters: Any, training: bool = False) -> tuple[Any, Any]:
        """What each character but the first costs, by those before it: float32 `[batch, steps - 1]`, 0 for PAD; and
        which of them are no PAD, the same in ones and zeros."""
        logits = self(characters[:, :-1], training=training)
        wanted = characters[:, 1:]
        present = tf.cast(wanted != PAD, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits) * present, present

    def answers(self, features: Any, targets: Any) -> Any:
        """Logits of each character by those before it: what training health looks at."""
        return self(targets["text"][:, :-1])

    def train_step(self, data: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            nats, present = self.nats(data[1]["text"], training=True)
            # Gradients are summed over replicas, whose batches differ in characters.
            total = tf.distribute.get_replica_context().all_reduce("sum", tf.reduce_sum(present))
            loss = tf.reduce_sum(nats) / total
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(nats, present)

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._log(*self.nats(data[1]["text"]))

    @property
    def metrics(self) -> list[Any]:
        return [self._mean_loss, self._mean_bits]

    def _log(self, nats: Any, present: Any) -> dict[str, Any]:
        count = tf.reduce_sum(present)
        mean = tf.math.divide_no_nan(tf.reduce_sum(nats), count)
        self._mean_loss.update_state(mean, count)
        self._mean_bits.update_state(mean / tf.math.log(2.0), count)
        return {metric.name: metric.result() for metric in self.metrics}
