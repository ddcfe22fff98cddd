"""A Transformer's decoder of tokens, which attends to what an encoder has seen. Imports TensorFlow; import it where it
is used."""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf


class TokenDecoder(tf.keras.layers.Layer):
    """Reads the tokens of a text, of each those before it and what an encoder has seen, and says what follows.

    A Transformer's decoder (Vaswani et al. 2017), normalised before each part (Xiong et al. 2020): attention to the
    tokens before, to what was seen, and two dense layers. The logits share their weights with the embedding of tokens
    (Press & Wolf 2017).

    When a text is written token by token, the keys and values of what stands before are kept, in tensors as long as a
    text may become, of which each step fills one place.

    Attributes:
      embedding: of tokens.
      STATE: names of what `step` changes of what it is given.
    """

    def __init__(self, tokens: int, units: int, layers: int, heads: int, dropout: float) -> None:
        """
        Args:
          tokens: size of the vocabulary, special tokens included.
          units: a multiple of `heads`.
          dropout: share of what each part of a layer adds that is zeroed in training.
        """
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(tokens, units)
        self.embedding.build(None)
        self.layers = [DecoderLayer(units, heads, dropout) for _ in range(layers)]
        self.norm = tf.keras.layers.LayerNormalization()
        self.norm.build([None, None, units])
        self.bias = self.add_weight("bias", [tokens], initializer="zeros")
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.STATE = ("position", *(f"{what}_{i}" for i in range(layers) for what in ("keys", "values")))
        self.built = True

    def call(self, given: Any, seen: Any, there: Any = None, training: bool = False) -> Any:
        """What is known behind each token of `given`, int64 `[batch, steps]`: `[batch, steps, units]`, for `logits`.

        Args:
          seen: `[batch, places, units]`.
          there: bool `[batch, places]`, which of these there are; None for all.
        """
        steps = tf.shape(given)[1]
        x = self.dropout(self._embed(given, tf.range(steps)), training=training)
        before = tf.linalg.band_part(tf.ones([steps, steps], tf.bool), -1, 0)
        allowed = None if there is None else there[:, None, None, :]
        for layer in self.layers:
            x = layer(x, layer.own_memory(x), before, layer.seen_memory(seen), allowed, training)
        return self.norm(x)

    def begin(self, seen: Any, max_steps: Any, there: Any = None) -> dict[str, Any]:
        """What `step` goes by at first, for texts of up to `max_steps` tokens; the other arguments are those of a
        call. Tensors `[batch, ...]` by name."""
        batch, places = tf.shape(seen)[0], tf.shape(seen)[1]
        there = tf.ones([batch, places], tf.bool) if there is None else there
        found: dict[str, Any] = {"position": tf.zeros([batch], tf.int32), "there": there}
        for i, layer in enumerate(self.layers):
            nothing = tf.zeros([batch, max_steps, seen.shape[-1]], seen.dtype)
            found |= {f"keys_{i}": nothing, f"values_{i}": nothing}
            found[f"seen_keys_{i}"], found[f"seen_values_{i}"] = layer.seen_memory(seen)
        return found

    def step(self, tokens: Any, encoded: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Reads one further token of each text, int64 `[batch, 1]`: what is known behind it, `[batch, 1, units]`, and
        `encoded`, which is `begin`'s or an earlier step's, brought forward."""
        position = encoded["position"]
        after = encoded | {"position": position + 1}
        x = self._embed(tokens, position[:, None])
        places = tf.range(tf.shape(encoded["keys_0"])[1])
        here = (places == position[:, None])[:, :, None]
        before = (places <= position[:, None])[:, None, None, :]
        there = encoded["there"][:, None, None, :]
        for i, layer in enumerate(self.layers):
            new = layer.own_memory(x)
            kept = tuple(encoded[f"{what}_{i}"] for what in ("keys", "values"))
            own = tuple(tf.where(here, fresh, old) for fresh, old in zip(new, kept, strict=True))
            after[f"keys_{i}"], after[f"values_{i}"] = own
            x = layer(x, own, before, (encoded[f"seen_keys_{i}"], encoded[f"seen_values_{i}"]), there)
        return self.norm(x), after

    def logits(self, known: Any) -> Any:
        """float32 `[batch, steps, tokens]` of the token after each."""
        found = tf.einsum("btu,vu->btv", known, tf.cast(self.embedding.embeddings, known.dtype))
        return tf.cast(found, tf.float32) + self.bias

    def _embed(self, tokens: Any, positions: Any) -> Any:
        x = self.embedding(tokens)
        return x * math.sqrt(x.shape[-1]) + tf.cast(_waves(positions, x.shape[-1]), x.dtype)


class DecoderLayer(tf.keras.layers.Layer):
    """Attention to the tokens before, to what was seen, and two dense layers, each added to what it is given."""

    def __init__(self, units: int, heads: int, dropout: float) -> None:
        super().__init__()
        layers = tf.keras.layers
        self._heads = heads
        self.norms = [layers.LayerNormalization() for _ in range(3)]
        self.own_query, self.own_keys, self.own_values, self.own_output = (layers.Dense(units) for _ in range(4))
        self.query, self.keys, self.values, self.output_layer = (layers.Dense(units) for _ in range(4))
        self.wide, self.narrow = layers.Dense(4 * units, activation="gelu"), layers.Dense(units)
        self.dropout = layers.Dropout(dropout)
        shape = [None, None, units]
        for layer in (*self.norms, self.own_query, self.own_keys, self.own_values, self.own_output, self.wide):
            layer.build(shape)
        for layer in (self.query, self.keys, self.values, self.output_layer):
            layer.build(shape)
        self.narrow.build([None, None, 4 * units])
        self.built = True

    def own_memory(self, x: Any) -> tuple[Any, Any]:
        """Keys and values of tokens `[batch, steps, units]`."""
        x = self.norms[0](x)
        return self.own_keys(x), self.own_values(x)

    def seen_memory(self, seen: Any) -> tuple[Any, Any]:
        """Keys and values of what was seen, `[batch, places, units]`."""
        return self.keys(seen), self.values(seen)

    def call(self, x: Any, own: Any, before: Any, seen: Any, there: Any, training: bool = False) -> Any:
        """
        Args:
          x: `[batch, steps, units]`.
          own: keys and values of tokens, `[batch, kept, units]`.
          before: which of these each step may see, bool that broadcasts to `[batch, heads, steps, kept]`.
          seen: of `seen_memory`.
          there: which of what was seen there is, bool that broadcasts to `[batch, heads, steps, places]`; None for all.
        """
        found = self.own_output(self._attend(self.own_query(self.norms[0](x)), own[0], own[1], before))
        x = x + self.dropout(found, training=training)
        found = self.output_layer(self._attend(self.query(self.norms[1](x)), seen[0], seen[1], there))
        x = x + self.dropout(found, training=training)
        return x + self.dropout(self.narrow(self.wide(self.norms[2](x))), training=training)

    def _attend(self, query: Any, keys: Any, values: Any, allowed: Any) -> Any:
        query, keys, values = (self._split(x) for x in (query, keys, values))
        scores = tf.einsum("bthd,bshd->bhts", query, keys) / math.sqrt(query.shape[-1])
        if allowed is not None:
            scores = tf.where(allowed, scores, scores.dtype.min / 2)
        found = tf.einsum("bhts,bshd->bthd", tf.nn.softmax(scores), values)
        return tf.reshape(found, [tf.shape(found)[0], tf.shape(found)[1], self._heads * found.shape[-1]])

    def _split(self, x: Any) -> Any:
        return tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], self._heads, x.shape[-1] // self._heads])


def _waves(positions: Any, units: int) -> Any:
    """Sines and cosines of positions, int32 of any shape: float32 `[..., units]` (Vaswani et al. 2017)."""
    rates = 10_000.0 ** (-tf.range(units // 2, dtype=tf.float32) * 2 / units)
    angles = tf.cast(positions, tf.float32)[..., None] * rates
    return tf.concat([tf.sin(angles), tf.cos(angles)], -1)
