"""A recurrent model of characters, mixed with a smoothed n-gram; it knows its train text, to tell copies.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features.characters import NUM_SPECIAL, PAD
from trainer.networks.ngrams import NGramMixture
from trainer.networks.recurrent import lstm
from trainer.networks.suffixes import Suffixes
from trainer.references.kneser_ney import KneserNey


class CharacterModel(tf.keras.Model):
    """The probabilities of the next character, given those before it.

    An embedding, then layers of LSTM (Hochreiter & Schmidhuber 1997), of which each but the first also reads the
    embedding; the output layer reads all of them (Graves 2013), and a call gives its logits. Beside it stands an n-gram
    of the same train text (`NGramMixture`).

    Characters are int64 `[batch, steps]`, PAD before the first and behind the last.
    """

    def __init__(
        self,
        num_characters: int,
        embedding_size: int,
        units: int,
        layers: int,
        dropout: float,
        ngrams: KneserNey | None,
        remembered: np.ndarray[Any, Any],
    ) -> None:
        """
        Args:
          num_characters: special ones included.
          dropout: share of what goes from one layer to the next that is zeroed in training.
          ngrams: of the train text; None for the network alone.
          remembered: the train text, by which `suffixes` finds what is copied.
        """
        super().__init__()
        make = tf.keras.layers
        self.embedding = make.Embedding(num_characters, embedding_size)
        self.recurrent = [lstm(units, return_sequences=True, return_state=True) for _ in range(layers)]
        self.dropout = make.Dropout(dropout)
        self.output_layer = make.Dense(num_characters, dtype="float32")
        self.mixture = NGramMixture(ngrams, layers * units) if ngrams else None
        self.suffixes = Suffixes(remembered)
        self._mean_loss = tf.keras.metrics.Mean(name="loss")
        self._mean_bits = tf.keras.metrics.Mean(name="bits_per_character")
        self.embedding.build(None)
        for i, layer in enumerate(self.recurrent):
            layer.build((None, None, embedding_size + (units if i else 0)))
        self.output_layer.build((None, None, layers * units))

    def call(self, characters: Any, training: bool = False) -> Any:
        """The network's logits float32 `[batch, steps, num_characters]` of the character after each."""
        return self.output_layer(self._read(characters, None, training)[0])

    def read(self, characters: Any) -> list[Any]:
        """The state behind some characters `[batch, steps]`, at least one step; PAD before the first changes nothing.

        The last characters int64 `[batch, order - 2]`, none without an n-gram, and two tensors float `[batch, units]` a
        layer.
        """
        kept = self.mixture.ngrams.order - 2 if self.mixture else 0
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
        read = tf.concat(outputs, -1)
        mixed = tf.nn.softmax(self.output_layer(read))
        if self.mixture:
            mixed = self.mixture.following(mixed, before, read)
        mixed = tf.math.log(mixed)
        special = tf.range(tf.shape(mixed)[-1]) < NUM_SPECIAL
        return tf.where(special, -float("inf"), mixed), after

    def nats(self, characters: Any) -> Any:
        """What each character but the first costs, by those before it: float32 `[batch, steps - 1]`, 0 for PAD.
        PAD before the first changes nothing."""
        given = characters[:, :-1]
        return self._costs(characters, self._read(given, given != PAD, training=False)[0], leave_one_out=False)[0]

    def _read(self, characters: Any, mask: Any, training: bool) -> tuple[Any, list[Any]]:
        embedded = self.embedding(characters)
        outputs: list[Any] = []
        after: list[Any] = []
        for layer in self.recurrent:
            x = self.dropout(tf.concat([embedded, *outputs[-1:]], -1), training=training)
            x, *new = layer(x, mask=mask)
            outputs.append(x)
            after += new
        return self.dropout(tf.concat(outputs, -1), training=training), after

    def _costs(self, characters: Any, read: Any, leave_one_out: bool) -> tuple[Any, Any]:
        """What each character but the first costs, and what it costs by the network alone, by what the output layer
        reads."""
        wanted = characters[:, 1:]
        alone = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, self.output_layer(read))
        costs = self.mixture.costs(characters, alone, read, leave_one_out) if self.mixture else alone
        present = tf.cast(wanted != PAD, tf.float32)
        return costs * present, alone * present

    def answers(self, features: Any, targets: Any) -> Any:
        """Logits of each character by those before it: what training health looks at."""
        return self(targets["text"][:, :-1])

    def train_step(self, data: Any) -> dict[str, Any]:
        characters = data[1]["text"]
        with tf.GradientTape() as tape:
            read, _ = self._read(characters[:, :-1], None, training=True)
            costs, alone = self._costs(characters, read, leave_one_out=True)
            # Gradients are summed over replicas, whose batches differ in characters.
            total = tf.distribute.get_replica_context().all_reduce("sum", _count(characters))
            loss = tf.reduce_sum(costs + alone) / total  # the network is to learn also what the n-gram knows
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(costs, _count(characters))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Of held-out examples of the train split, which the n-gram has counted too."""
        characters = data[1]["text"]
        read, _ = self._read(characters[:, :-1], None, training=False)
        return self._log(self._costs(characters, read, leave_one_out=True)[0], _count(characters))

    @property
    def metrics(self) -> list[Any]:
        return [self._mean_loss, self._mean_bits]

    def _log(self, costs: Any, count: Any) -> dict[str, Any]:
        mean = tf.math.divide_no_nan(tf.reduce_sum(costs), count)
        self._mean_loss.update_state(mean, count)
        self._mean_bits.update_state(mean / tf.math.log(2.0), count)
        return {metric.name: metric.result() for metric in self.metrics}


def _count(characters: Any) -> Any:
    """How many characters have a cost."""
    return tf.reduce_sum(tf.cast(characters[:, 1:] != PAD, tf.float32))
