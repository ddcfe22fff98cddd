"""Intent and slots of a text by one recurrent network that knows what it does not understand (Liu & Lane 2016,
"Attention-Based Recurrent Neural Network Models for Joint Intent Detection and Slot Filling").

Intents are learnt by the large margin cosine loss (CosFace, Wang et al. 2018; for unknown intents Lin & Xu 2019): a
text is near the centre of its intent, or near none. Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import spans
from trainer.networks.embedding import large_margin_cosine_loss, name_cosines
from trainer.networks.recurrent import lstm

MOMENTUM = 0.97
"""Of the moving average that the threshold is."""

WIDE = 0.5
"""Deviation of embeddings at first. Keras' own are so small that a hundred steps are lost."""

LOWEST = -1e4
"""Below whatever a unit gives, also in half precision."""

TAGS_WEIGHT = 3.0
"""Of the loss of tags, a mean over words, beside that of intents, whose cosines are scaled up."""


class JointIntents(tf.keras.Model):
    """Called on `words`, `heads` and `tails`, int64 `[batch, words]` padded with 0, it gives the cosines with intents,
    `[batch, intents]`, and logits of tags, `[batch, words, tags]` (`trainer.features.spans`).

    A word is its own embedding beside those of its first and last characters, by which words that training lacks are
    like others. Two bidirectional LSTM layers (Hochreiter & Schmidhuber 1997) read the text, and each adds to what
    it reads; its tags are told word by word, its intent from the words that attention weighs.

    Beside the weights it keeps a threshold: the cosine with their own intent that a share of the training texts falls
    short of, units left out, as a moving average over batches.

    Args:
      words, affixes, tags, intents: how many there are of each, padding included.
      units: width of each direction, and of embeddings.
      margin: by which the cosine with one's own intent must be ahead, in training.
      refused: share of training texts that the threshold refuses.
    """

    def __init__(
        self,
        words: int,
        affixes: int,
        tags: int,
        intents: int,
        units: int,
        dropout: float,
        margin: float,
        refused: float,
    ) -> None:
        super().__init__()
        layers = tf.keras.layers
        self._margin, self._refused = margin, refused
        self.embeddings = {
            name: layers.Embedding(count, width, tf.keras.initializers.RandomNormal(stddev=WIDE), name=name)
            for name, count, width in (
                ("words", words, units),
                ("heads", affixes, units // 2),
                ("tails", affixes, units // 2),
            )
        }
        self.readers = [layers.Bidirectional(lstm(units, return_sequences=True)) for _ in range(2)]
        self.dropout = layers.Dropout(dropout)
        self.tagger = layers.Dense(tags, name="tags")
        self.weigher = layers.Dense(1, name="attention")
        self.embedding = layers.Dense(2 * units, name="embedding")
        self.centres = self.add_weight("centres", [intents, 2 * units])
        # Not learnt by gradients: Adam remembers the large ones of the first steps, and would hardly move it after.
        self.threshold = self.add_weight(
            "threshold",
            [],
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )
        self._means = {name: tf.keras.metrics.Mean(name=name) for name in ("loss", "accuracy", "tag_accuracy")}
        for embedding in self.embeddings.values():
            embedding.build(None)
        for layer in (*self.readers, self.tagger, self.weigher):
            layer.build((None, None, 2 * units))
        self.embedding.build((None, 4 * units))
        self.built = True

    def call(self, features: Any, training: bool = False) -> tuple[Any, Any]:
        mask = features["words"] != spans.PAD
        x = tf.concat([layer(features[name]) for name, layer in self.embeddings.items()], -1)
        for reader in self.readers:
            x = x + reader(self.dropout(x, training=training), mask=mask, training=training)
        x = self.dropout(x, training=training)
        present = mask[:, :, None]
        weights = tf.nn.softmax(tf.where(present, tf.cast(self.weigher(x), tf.float32), LOWEST), axis=1)
        weighed = tf.reduce_sum(tf.cast(weights, x.dtype) * x, 1)
        highest = tf.reduce_max(tf.where(present, x, tf.cast(LOWEST, x.dtype)), 1)
        embedding = tf.cast(self.embedding(tf.concat([weighed, highest], -1)), tf.float32)
        cosines = name_cosines(tf.math.l2_normalize(embedding, axis=1), self.centres)
        return cosines, tf.cast(self.tagger(x), tf.float32)

    def train_step(self, data: Any) -> dict[str, Any]:
        features, targets = data
        with tf.GradientTape() as tape:
            answer = self(features, training=True)
            loss = self._loss(answer, features, targets)
            shared = loss / tf.distribute.get_strategy().num_replicas_in_sync  # over which gradients are summed
        self.optimizer.minimize(shared, self.trainable_variables, tape=tape)
        self._move_threshold(answer[0], features, targets)
        return self._log(answer, features, targets, loss)

    def _move_threshold(self, cosines: Any, features: Any, targets: Any) -> None:
        """By the texts that are shown whole: those that lack words are nearer to none, as no text will be that is
        asked about."""
        whole = tf.reduce_all(features["words"] != spans.UNKNOWN, axis=1) & (targets["intent"] >= 0)
        count = tf.reduce_sum(tf.cast(whole, tf.int32))
        own = tf.gather(cosines, tf.maximum(targets["intent"], 0), batch_dims=1)
        ordered = tf.sort(tf.where(whole, own, 2.0))  # others behind all cosines
        quantile = ordered[tf.cast(self._refused * tf.cast(count, tf.float32), tf.int32)]
        step = tf.where(count > 0, (1 - MOMENTUM) * (quantile - self.threshold), 0.0)
        self.threshold.assign_add(step)

    def test_step(self, data: Any) -> dict[str, Any]:
        features, targets = data
        answer = self(features)
        return self._log(answer, features, targets, self._loss(answer, features, targets))

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def answers(self, features: Any, targets: Any) -> Any:
        """What training health looks at."""
        return self(features)[0]

    def _tags(self, features: Any, targets: Any) -> Any:
        return spans.tags_of(targets["slots"], features["starts"], features["ends"])

    def _loss(self, answer: tuple[Any, Any], features: Any, targets: Any) -> Any:
        cosines, logits = answer
        tags = self._tags(features, targets)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tags, logits)
        counts = tf.cast((tags != spans.PAD) & (targets["intent"] >= 0)[:, None], tf.float32)
        of_tags = tf.math.divide_no_nan(tf.reduce_sum(counts * losses), tf.reduce_sum(counts))
        return large_margin_cosine_loss(cosines, targets["intent"], self._margin) + TAGS_WEIGHT * of_tags

    def _log(self, answer: tuple[Any, Any], features: Any, targets: Any, loss: Any) -> dict[str, Any]:
        cosines, logits = answer
        tags = self._tags(features, targets)
        self._means["loss"].update_state(loss)
        self._means["accuracy"].update_state(tf.cast(tf.argmax(cosines, axis=1) == targets["intent"], tf.float32))
        self._means["tag_accuracy"].update_state(tf.cast(tf.argmax(logits, 2) == tags, tf.float32), tags != spans.PAD)
        return {name: mean.result() for name, mean in self._means.items()}
