"""A network that tells names and knows whom it does not know: an embedding with a centre for each name.

It learns by the large margin cosine loss (CosFace, Wang et al. 2018). Beside that it keeps the cosine from which on
somebody is taken for the nearest name: a quantile of the cosines of training pictures, moved and with units left out,
with their own centre, as a moving average over batches.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.embedding import large_margin_cosine_loss, name_cosines

MOMENTUM = 0.97
"""Of the moving average."""


class Recogniser(tf.keras.Model):
    """Called on `image`, uint8 `[batch, height, width, channels]`, it gives the cosines with names `[batch, names]`.

    Args:
      embedding: of `trainer.networks.embedding.embedder`.
      names: how many there are.
      margin: by which the cosine with one's own name must be ahead.
      refused: share of training pictures that the threshold refuses.
      target: the feature that holds the place of the name, int64 `[batch]`.
    """

    def __init__(self, embedding: Any, names: int, margin: float, refused: float, target: str) -> None:
        super().__init__()
        self.embedding = embedding
        self._margin, self._refused, self._target = margin, refused, target
        self.centres = self.add_weight("centres", [names, embedding.output_shape[-1]])
        # Not learnt by gradients: Adam remembers the large ones of the first steps, and would hardly move it after.
        self.threshold = self.add_weight(
            "threshold",
            [],
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )
        self._means = {name: tf.keras.metrics.Mean(name=name) for name in ("loss", "accuracy")}
        self.built = True

    def call(self, features: Any, training: bool = False) -> Any:
        return name_cosines(self.embedding(features["image"], training=training), self.centres)

    def train_step(self, data: Any) -> dict[str, Any]:
        features, place = data[0], data[1][self._target]
        with tf.GradientTape() as tape:
            cosines = self(features, training=True)
            names = large_margin_cosine_loss(cosines, place, self._margin)
            loss = names / tf.distribute.get_strategy().num_replicas_in_sync  # over which gradients are summed
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        own = tf.sort(tf.gather(cosines, tf.maximum(place, 0), batch_dims=1))
        quantile = own[tf.cast(self._refused * tf.cast(tf.size(own), tf.float32), tf.int32)]
        self.threshold.assign_add((1 - MOMENTUM) * (quantile - self.threshold))
        return self._log(cosines, place, names)

    def test_step(self, data: Any) -> dict[str, Any]:
        cosines, place = self(data[0]), data[1][self._target]
        return self._log(cosines, place, large_margin_cosine_loss(cosines, place, self._margin))

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def _log(self, cosines: Any, place: Any, loss: Any) -> dict[str, Any]:
        self._means["loss"].update_state(loss)
        self._means["accuracy"].update_state(tf.cast(tf.argmax(cosines, axis=1) == place, tf.float32))
        return {name: mean.result() for name, mean in self._means.items()}
