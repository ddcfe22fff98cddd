"""Two towers, one of users and one of items, and a head that tells ratings, as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features.interactions import DAMPING, TOP, Interactions

HISTORY_DRAWN = 50
"""Ratings of a user that one training example draws."""

HISTORY_SCALE = 5.0
"""The mean of many vectors is short; so much longer it can stand beside a user's own."""


class TwoTower(tf.keras.Model):
    """Which items a user will take up next, and how they will be rated.

    - The item tower is an embedding and a popularity for each item. The user tower is an embedding for each user and
      the mean of the item tower's vectors of what the user has rated (as in Covington et al. 2016). Their inner product
      ranks all items. It learns by softmax over items, sampled (Jean et al. 2015): which item a rating was given to.
    - Ratings are the mean, the biases of user and item, and what a NeuMF head (He et al. 2017) adds: a product and a
      perceptron, side by side, of what is known of both. It reads the towers but does not move them: those who rate an
      item chose it, so that what is told apart in the one question would mislead in the other. Of the user it also
      reads tastes: the mean over rated items of a vector times what the biases leave of that rating (Paterek 2007).

    A user or item that training has not seen is the one after the last. So that its row learns, now and then a known
    one takes its place, a rare one more often.

    Keras feeds `{"user": int64 [batch]}` and targets `{"item": int64 [batch], "rating": float32 [batch]}`. The ratings
    that the model was made with are kept inside it, as weights that do not learn.
    """

    def __init__(
        self, known: Interactions, size: int, head_size: int, dropout: float, negatives: int, decay: float
    ) -> None:
        """
        Args:
          size: width of both towers.
          head_size: width of the head's embeddings.
          negatives: items, at most, that each step's softmax tells from the true ones.
          decay: L2 penalty on the head's embeddings, of which each rating pays its share.
        """
        super().__init__(dtype="float32")  # embeddings gain nothing from half precision
        layers = tf.keras.layers
        self.num_users, self.num_items, self._decay = known.num_users, known.num_items, decay
        self._negatives = min(
            negatives, (known.num_items + 1) // 2
        )  # unique ones, which few items would be slow to give
        self._mean, self._lowest, self._highest = known.mean, float(known.ratings.min()), float(known.ratings.max())
        order, starts = known.by_user
        self._starts = self._kept("starts", starts)
        self._rated_items = self._kept("rated_items", known.items[order])
        self._residuals = self._kept("residuals", known.residuals[order])
        self._user_counts = self._kept("user_counts", known.user_counts.astype("float32"))
        self._item_counts = self._kept("item_counts", known.item_counts.astype("float32"))
        users, items = self.num_users + 1, self.num_items + 1
        self._user_vectors = self._embedding("user_vectors", users, size)
        self._item_vectors = self._embedding("item_vectors", items, size)
        self._popularity = self._from("popularity", np.log(known.popularity + 1.0).astype("float32"))
        self._user_bias, self._item_bias = map(self._from, ("user_bias", "item_bias"), known.biases)
        self._head_items = self._embedding("head_items", items, head_size)
        self._taste_vectors = self._embedding("taste_vectors", items, head_size)
        self._dropout = layers.Dropout(dropout, dtype="float32")
        self._of_user, self._of_item = (
            tf.keras.Sequential([layers.Input([size]), layers.Dense(head_size, dtype="float32")]) for _ in range(2)
        )
        self._perceptron = tf.keras.Sequential(
            [
                layers.Input([2 * head_size]),
                layers.Dropout(dropout, dtype="float32"),
                layers.Dense(2 * head_size, activation="relu", dtype="float32"),
                layers.Dropout(dropout, dtype="float32"),
                layers.Dense(head_size, activation="relu", dtype="float32"),
            ]
        )
        self._fusion = tf.keras.Sequential([layers.Input([2 * head_size]), layers.Dense(1, dtype="float32")])
        self._means = {name: tf.keras.metrics.Mean(name=name) for name in ("loss", "ranking_loss", "squared_error")}
        self.built = True

    def call(self, features: Any, training: bool = False) -> dict[str, Any]:
        """What there is to say of users: `{"user": int64 [batch]}`.

        Returns:
          `items` int64 `[batch, TOP]`: of all items that a user has not rated the best, best first, `num_items` where
          there are no more; `vectors` and `tastes`, which `ratings` wants.
        """
        item_vectors, popularity = self._item_vectors[: self.num_items], self._popularity[: self.num_items]
        shown = min(TOP, self.num_items)

        def answer(user: Any) -> dict[str, Any]:
            mine = slice(self._starts[user], self._starts[user + 1])
            items, residuals = self._rated_items[mine], self._residuals[mine]
            vector, taste = self._read(user[None], items[None], residuals[None], tf.ones_like(residuals)[None])
            scores = tf.linalg.matvec(item_vectors, vector[0]) + popularity
            scores = tf.tensor_scatter_nd_update(scores, items[:, None], tf.fill(tf.shape(items), -float("inf")))
            best = tf.math.top_k(scores, shown)
            chosen = tf.where(tf.math.is_finite(best.values), tf.cast(best.indices, tf.int64), self.num_items)
            chosen = tf.pad(chosen, [[0, TOP - shown]], constant_values=self.num_items)
            return {"items": chosen, "vectors": vector[0], "tastes": taste[0]}

        # One user at a time: all users' scores of all items would not fit where there are many of both.
        once, place = tf.unique(features["user"])
        answers = tf.map_fn(
            answer,
            once,
            fn_output_signature={
                "items": tf.TensorSpec([TOP], tf.int64),
                "vectors": tf.TensorSpec(self._user_vectors.shape[1:]),
                "tastes": tf.TensorSpec(self._taste_vectors.shape[1:]),
            },
        )
        return {name: tf.gather(values, place) for name, values in answers.items()}

    def ratings(self, users: Any, items: Any, vectors: Any, tastes: Any) -> Any:
        """Expected ratings, float32 `[n]`, of pairs, int64 `[n]` each, within the range of those seen in training."""
        return tf.clip_by_value(self._rate(users, items, vectors, tastes, False), self._lowest, self._highest)

    def answers(self, features: Any, targets: Any) -> Any:
        """Ratings of what was taken up: what training health looks at."""
        found = self(features)
        return self._rate(features["user"], targets["item"], found["vectors"], found["tastes"], False)

    def have_rated(self, users: Any, items: Any) -> Any:
        """Whether each user has rated the item in training: int64 `[n]` each to bool `[n]`."""
        rows = tf.ragged.range(tf.gather(self._starts, users), tf.gather(self._starts, users + 1))
        rated = rows.with_flat_values(tf.gather(self._rated_items, rows.flat_values))
        return tf.reduce_any(rated == items[:, None], axis=1)

    def train_step(self, data: Any) -> dict[str, Any]:
        users, items, ratings = data[0]["user"], data[1]["item"], data[1]["rating"]
        user_counts, item_counts = tf.gather(self._user_counts, users), tf.gather(self._item_counts, items)
        shown_users = _sometimes(1 / (1 + user_counts), self.num_users, users)
        shown_items = _sometimes(1 / (1 + item_counts), self.num_items, items)
        with tf.GradientTape() as tape:
            ranking, squared = self._question_losses(shown_users, shown_items, items, ratings, training=True)
            penalty = DAMPING * tf.gather(self._user_bias, users) ** 2 / user_counts
            penalty += DAMPING * tf.gather(self._item_bias, items) ** 2 / item_counts
            for table in (self._head_items, self._taste_vectors):
                penalty += self._decay * tf.reduce_sum(tf.gather(table, items) ** 2, axis=-1) / item_counts
            # over the global batch, since gradients are summed over replicas
            loss = tf.nn.compute_average_loss(ranking + squared + penalty)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(loss=ranking + squared, ranking_loss=ranking, squared_error=squared)

    def test_step(self, data: Any) -> dict[str, Any]:
        users, items, ratings = data[0]["user"], data[1]["item"], data[1]["rating"]
        ranking, squared = self._question_losses(users, items, items, ratings, training=False)
        return self._log(loss=ranking + squared, ranking_loss=ranking, squared_error=squared)

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def _question_losses(
        self, users: Any, shown_items: Any, items: Any, ratings: Any, training: bool
    ) -> tuple[Any, Any]:
        """Of ranking and of ratings, `[batch]` each. What is asked for is left out of the user's history."""
        vectors, tastes = self._read(users, *self._draw_history(users, items))
        ranking = tf.nn.sampled_softmax_loss(
            self._item_vectors,
            self._popularity,
            items[:, None],
            self._dropout(vectors, training=training),
            self._negatives,
            self.num_items,
        )
        return ranking, (self._rate(users, shown_items, vectors, tastes, training) - ratings) ** 2

    def _draw_history(self, users: Any, without: Any) -> tuple[Any, Any, Any]:
        """Some of what users rated: items, residuals and 1, or 0 where there is none; `[batch, HISTORY_DRAWN]` each."""
        start = tf.gather(self._starts, users)[:, None]
        count = tf.gather(self._starts, users + 1)[:, None] - start
        share = tf.random.uniform([tf.shape(users)[0], HISTORY_DRAWN])
        drawn = start + tf.cast(share * tf.cast(count, tf.float32), tf.int64)
        drawn = tf.minimum(drawn, tf.shape(self._rated_items, out_type=tf.int64)[0] - 1)
        items = tf.gather(self._rated_items, drawn)
        there = (count > 0) & (items != without[:, None])
        return items, tf.gather(self._residuals, drawn), tf.cast(there, tf.float32)

    def _read(self, users: Any, items: Any, residuals: Any, there: Any) -> tuple[Any, Any]:
        """The user tower's vectors, `[batch, size]`, and users' tastes, `[batch, head_size]`."""
        share = HISTORY_SCALE / tf.maximum(tf.reduce_sum(there, axis=1, keepdims=True), 1.0)
        history = tf.einsum("bn,bnd->bd", share * there, tf.gather(self._item_vectors, items))
        tastes = tf.einsum("bn,bnd->bd", share * there * residuals, tf.gather(self._taste_vectors, items))
        return tf.gather(self._user_vectors, users) + history, tastes

    def _rate(self, users: Any, items: Any, vectors: Any, tastes: Any, training: bool) -> Any:
        item_vectors = tf.stop_gradient(tf.gather(self._item_vectors, items))
        user = tastes + self._of_user(tf.stop_gradient(vectors))
        item = tf.gather(self._head_items, items) + self._of_item(item_vectors)
        product = self._dropout(user * item, training=training)
        perceptron = self._perceptron(tf.concat([user, item], axis=-1), training=training)
        known = self._mean + tf.gather(self._user_bias, users) + tf.gather(self._item_bias, items)
        return known + self._fusion(tf.concat([product, perceptron], axis=-1))[:, 0]

    def _log(self, **values: Any) -> dict[str, Any]:
        for name, value in values.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}

    def _embedding(self, name: str, rows: int, width: int) -> Any:
        return self.add_weight(name, [rows, width], initializer=tf.keras.initializers.RandomNormal(stddev=0.05))

    def _from(self, name: str, values: Any) -> Any:
        return self.add_weight(name, values.shape, initializer=_values(values))

    def _kept(self, name: str, values: Any) -> Any:
        return self.add_weight(name, values.shape, values.dtype, _values(values), trainable=False)


def _values(values: Any) -> Any:
    """An initialiser. Keras' Constant would write large arrays into each graph."""
    return lambda shape, dtype=None, **kwargs: tf.cast(values, dtype)


def _sometimes(probability: Any, unknown: int, indices: Any) -> Any:
    """`unknown` in place of each index with its probability, float32 `[batch]`."""
    return tf.where(tf.random.uniform(tf.shape(indices)) < probability, tf.cast(unknown, indices.dtype), indices)
