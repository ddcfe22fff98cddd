"""Siamese networks: one network reads both pictures of a pair; the angle between what it makes of them says how alike
they are.

`Siamese` trains an embedder to tell the names of the train split, where these are known, by the large margin cosine
loss (CosFace, Wang et al. 2018), which needs no pairs, and by the pairs themselves, by logistic regression on their
cosine. The threshold from which on two are the same comes from names that the embedding does not learn: pictures of one
that it has learnt lie closer together than those of a stranger do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.networks.embedding import large_margin_cosine_loss, name_cosines, place_among

FEWEST_NAMES, CALIBRATING_SHARE = 20, 8
"""Of at least so many names, one in so many sets the threshold and is not learnt."""


def shared_out(names: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Numbers of names, those that are learnt and those that set the threshold, none of few: int64 each, sorted.

    Args:
      names: int64, each as often as it occurs; -1 where there is none. They are hashes, so that their order is chance.
    """
    known = np.unique(names[names >= 0])
    kept = len(known) // CALIBRATING_SHARE if len(known) >= FEWEST_NAMES else 0
    return known[kept:], known[:kept]


class Siamese(tf.keras.Model):
    """Called on `image` and `partner`, uint8 `[batch, height, width, channels]`, it gives their cosines `[batch]`.

    Args:
      embedding: of `trainer.networks.embedding.embedder`.
      learnt: int64, sorted: numbers of the names that it learns to tell. Fewer than two tell nothing.
      calibrating: the same of the names that set the threshold; empty where all pairs do.
      margin: by which the cosine with one's own name must be ahead.
    """

    def __init__(self, embedding: Any, learnt: Any, calibrating: Any, margin: float) -> None:
        super().__init__()
        self.embedding = embedding
        self._learnt, self._calibrating, self._margin = learnt, calibrating, margin
        self._tells_names = len(learnt) > 1
        if self._tells_names:
            self._centres = self.add_weight("centres", [len(learnt), embedding.output_shape[-1]])
        self.threshold = self.add_weight("threshold", [], initializer=tf.keras.initializers.Constant(0.4))
        self._steepness = self.add_weight("steepness", [], initializer=tf.keras.initializers.Constant(math.log(10)))
        self._means = {name: tf.keras.metrics.Mean(name=name) for name in ("loss", "name_loss", "pair_loss")}
        self.built = True

    def call(self, features: Any, training: bool = False) -> Any:
        first, second = self._embedded(features, training)
        return tf.reduce_sum(first * second, axis=-1)

    def probability(self, cosine: Any) -> Any:
        """That two are the same, of pairs of which half are, `[batch]`; one half at the threshold."""
        return tf.sigmoid(tf.exp(self._steepness) * (cosine - self.threshold))

    def train_step(self, data: Any) -> dict[str, Any]:
        features, targets = data
        with tf.GradientTape() as tape:
            name_loss, pair_loss, calibration = self._three_losses(features, targets, training=True)
            replicas = tf.distribute.get_strategy().num_replicas_in_sync  # over which gradients are summed
            loss = (name_loss + pair_loss + calibration) / replicas
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(name_loss, pair_loss)

    def test_step(self, data: Any) -> dict[str, Any]:
        name_loss, pair_loss, _ = self._three_losses(data[0], data[1], training=False)
        return self._log(name_loss, pair_loss)

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def _embedded(self, features: Any, training: bool) -> tuple[Any, Any]:
        """Of both pictures in one pass, so that their statistics are one."""
        pictures = tf.concat([features["image"], features["partner"]], axis=0)
        first, second = tf.split(self.embedding(pictures, training=training), 2)
        return first, second

    def _three_losses(self, features: Any, targets: Any, training: bool) -> tuple[Any, Any, Any]:
        """Of names, of pairs and of the threshold, each a mean of the batch."""
        first, second = self._embedded(features, training)
        same, cosine = targets["same"], tf.reduce_sum(first * second, axis=-1)
        names = tf.concat([targets["person"], targets["partner_person"]], axis=0)
        name_loss = self._name_loss(tf.concat([first, second], axis=0), names) if self._tells_names else 0.0
        counts = tf.ones_like(same, tf.bool)
        judged = cosine, same, counts
        if len(self._calibrating):
            kept_out = place_among(names, self._calibrating) >= 0
            counts = ~tf.reduce_any(tf.reshape(kept_out, [2, -1]), axis=0)
            judged = self._judged(features, names, kept_out)
        logits = tf.stop_gradient(tf.exp(self._steepness)) * (cosine - tf.stop_gradient(self.threshold))
        pair_loss = _balanced(logits, same, counts)
        cosine, same, counts = judged
        logits = tf.exp(self._steepness) * (tf.stop_gradient(cosine) - self.threshold)
        return name_loss, pair_loss, _balanced(logits, same, counts)

    def _name_loss(self, embeddings: Any, names: Any) -> Any:
        """Of the pictures whose names are learnt."""
        cosines = name_cosines(embeddings, self._centres)
        return large_margin_cosine_loss(cosines, place_among(names, self._learnt), self._margin)

    def _judged(self, features: Any, names: Any, chosen: Any) -> tuple[Any, Any, Any]:
        """Cosine, whether they are the same, and whether they count, of any two of the chosen pictures.

        As inference sees them, and of so many that chance hardly leaves one of the chosen out; never none, which
        convolutions do not take.
        """
        found, places = tf.math.top_k(tf.cast(chosen, tf.int32), k=1 + 2 * tf.size(names) // CALIBRATING_SHARE)
        pictures = tf.concat([features["image"], features["partner"]], axis=0)
        embeddings = self.embedding(tf.gather(pictures, places), training=False)
        names, there = tf.gather(names, places), found > 0
        above = tf.linalg.band_part(tf.ones([tf.size(places)] * 2), 0, -1) - tf.eye(tf.size(places))
        count = (above > 0) & there[:, None] & there[None]
        return (
            tf.matmul(embeddings, embeddings, transpose_b=True),
            tf.cast(names[:, None] == names[None], tf.int64),
            count,
        )

    def _log(self, name_loss: Any, pair_loss: Any) -> dict[str, Any]:
        for name, value in (("loss", name_loss + pair_loss), ("name_loss", name_loss), ("pair_loss", pair_loss)):
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}


def _balanced(logits: Any, same: Any, counts: Any) -> Any:
    """Logistic loss of pairs, those of the same and those of two weighted alike. Only those that count."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(same, tf.float32), logits)
    means = []
    for kind in (0, 1):
        of_kind = tf.cast(counts & (same == kind), tf.float32)
        means.append(tf.math.divide_no_nan(tf.reduce_sum(of_kind * losses), tf.reduce_sum(of_kind)))
    return tf.add_n(means) / 2
