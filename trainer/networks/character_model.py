"""A recurrent model of characters, mixed with a smoothed n-gram; it knows its train text, to tell copies.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features.characters import NUM_SPECIAL, PAD
from trainer.networks.ngrams import NGrams
from trainer.networks.suffixes import Suffixes
from trainer.references.kneser_ney import KneserNey


class CharacterModel(tf.keras.Model):
    """The probabilities of the next character, given those before it.

    An embedding, then layers of LSTM (Hochreiter & Schmidhuber 1997), of which each but the first also reads the
    embedding; the output layer reads all of them (Graves 2013). That network alone is trained, and a call gives its
    logits. `nats` and `step` mix its probabilities with those of an n-gram of the same train text (Mikolov et al.
    2010): what an n-gram has seen it knows at once, what goes further back only the network does.

    Characters are int64 `[batch, steps]`, PAD before the first and behind the last.
    """

    def __init__(
        self,
        num_characters: int,
        embedding_size: int,
        units: int,
        layers: int,
        dropout: float,
        ngrams: KneserNey,
        ngram_share: float,
        remembered: np.ndarray[Any, Any],
    ) -> None:
        """
        Args:
          num_characters: special ones included.
          dropout: share of what goes from one layer to the next that is zeroed in training.
          ngram_share: of the n-gram in a probability, from 0 to 1.
          remembered: the train text, by which `suffixes` finds what is copied.
        """
        super().__init__()
        make = tf.keras.layers
        self.embedding = make.Embedding(num_characters, embedding_size)
        self.recurrent = [make.LSTM(units, return_sequences=True, return_state=True) for _ in range(layers)]
        self.dropout = make.Dropout(dropout)
        self.output_layer = make.Dense(num_characters, dtype="float32")
        self.ngrams, self._ngram_share = NGrams(ngrams), ngram_share
        self.suffixes = Suffixes(remembered)
        self._mean_loss = tf.keras.metrics.Mean(name="loss")
        self._mean_bits = tf.keras.metrics.Mean(name="bits_per_character")
        self.embedding.build(None)
        for i, layer in enumerate(self.recurrent):
            layer.build((None, None, embedding_size + (units if i else 0)))
        self.output_layer.build((None, None, layers * units))

    def call(self, characters: Any, training: bool = False) -> Any:
        """The network's logits float32 `[batch, steps, num_characters]` of the character after each."""
        return self._read(characters, None, training)[0]

    def read(self, characters: Any) -> list[Any]:
        """The state behind some characters `[batch, steps]`, at least one step; PAD before the first changes nothing.

        The last characters int64 `[batch, order - 2]`, and two tensors float `[batch, units]` a layer.
        """
        kept = self.ngrams.order - 2
        padded = tf.pad(characters, [[0, 0], [kept, 0]], constant_values=PAD)
        last = padded[:, tf.shape(padded)[1] - kept :]
        return [last, *self._read(characters, characters != PAD, training=False)[1]]

    def step(self, characters: Any, state: list[Any]) -> tuple[Any, list[Any]]:
        """Logits `[batch, num_characters]` of what follows one more character, `[batch]`, and the state behind it.

        Special characters are never to follow.
        """
        before = tf.concat([state[0], characters[:, None]], 1)
        embedded, pad = self.embedding(characters), (characters == PAD)[:, None]
        outputs: list[Any] = []
        after = [before[:, 1:]]
        for i, layer in enumerate(self.recurrent):
            old = state[2 * i + 1 : 2 * i + 3]
            _, new = layer.cell(tf.concat([embedded, *outputs[-1:]], -1), old)
            new = [tf.where(pad, left, right) for left, right in zip(old, new, strict=True)]
            outputs.append(new[0])
            after += new
        own = tf.nn.softmax(self.output_layer(tf.concat(outputs, -1)))
        mixed = tf.math.log(self._mixed(own, self.ngrams.following(before)))
        special = tf.range(tf.shape(mixed)[-1]) < NUM_SPECIAL
        return tf.where(special, -float("inf"), mixed), after

    def nats(self, characters: Any) -> Any:
        """What each character but the first costs, by those before it: float32 `[batch, steps - 1]`, 0 for PAD.
        PAD before the first changes nothing."""
        order, wanted = self.ngrams.order, characters[:, 1:]
        logits, _ = self._read(characters[:, :-1], characters[:, :-1] != PAD, training=False)
        own = tf.exp(-tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits))
        windows = tf.signal.frame(tf.pad(characters, [[0, 0], [order - 2, 0]]), order, 1)
        counted = tf.reshape(self.ngrams.probabilities(tf.reshape(windows, [-1, order])), tf.shape(wanted))
        return tf.where(wanted != PAD, -tf.math.log(self._mixed(own, counted)), 0.0)

    def _mixed(self, own: Any, counted: Any) -> Any:
        return (1 - self._ngram_share) * own + self._ngram_share * counted

    def _read(self, characters: Any, mask: Any, training: bool) -> tuple[Any, list[Any]]:
        embedded = self.embedding(characters)
        outputs: list[Any] = []
        after: list[Any] = []
        for layer in self.recurrent:
            x = self.dropout(tf.concat([embedded, *outputs[-1:]], -1), training=training)
            x, *new = layer(x, mask=mask)
            outputs.append(x)
            after += new
        return self.output_layer(self.dropout(tf.concat(outputs, -1), training=training)), after

    def _costs(self, characters: Any, training: bool) -> tuple[Any, Any]:
        """The network's own costs in nats, float32 `[batch, steps - 1]`, 0 for PAD; and ones for what is no PAD."""
        logits, wanted = self(characters[:, :-1], training=training), characters[:, 1:]
        present = tf.cast(wanted != PAD, tf.float32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits) * present, present

    def answers(self, features: Any, targets: Any) -> Any:
        """Logits of each character by those before it: what training health looks at."""
        return self(targets["text"][:, :-1])

    def train_step(self, data: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            losses, present = self._costs(data[1]["text"], training=True)
            # Gradients are summed over replicas, whose batches differ in characters.
            total = tf.distribute.get_replica_context().all_reduce("sum", tf.reduce_sum(present))
            loss = tf.reduce_sum(losses) / total
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(losses, present)

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._log(*self._costs(data[1]["text"], training=False))

    @property
    def metrics(self) -> list[Any]:
        return [self._mean_loss, self._mean_bits]

    def _log(self, losses: Any, present: Any) -> dict[str, Any]:
        count = tf.reduce_sum(present)
        mean = tf.math.divide_no_nan(tf.reduce_sum(losses), count)
        self._mean_loss.update_state(mean, count)
        self._mean_bits.update_state(mean / tf.math.log(2.0), count)
        return {metric.name: metric.result() for metric in self.metrics}
