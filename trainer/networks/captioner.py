"""A convolutional encoder of pictures and a Transformer decoder that writes what they show, as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf
from trainer.networks.teacher_forcing import TeacherForced


class Captioner(TeacherForced):
    """Logits of the next token of a caption, given a picture and the caption's tokens before it.

    The encoder's last feature maps are a row of places, each with its position learnt, which the decoder attends to
    (Xu et al. 2015). The decoder is a Transformer's (Vaswani et al. 2017), normalised before each part (Xiong et al.
    2020): attention to the tokens before, to the picture, and two dense layers. The output layer shares its weights
    with the embedding of tokens (Press & Wolf 2017).

    When a caption is written token by token, the keys and values of what stands before are kept, in tensors as long as
    a caption may become, of which each step fills one place.
    """

    TARGET = "captions"

    def __init__(
        self,
        network: Any,
        image_size: int,
        tokens: int,
        units: int,
        layers: int,
        heads: int,
        dropout: float,
        label_smoothing: float,
    ) -> None:
        """
        Args:
          network: pictures uint8 `[batch, image_size, image_size, 3]` to feature maps `[batch, height, width,
            channels]`. Where it is not trainable, it is run as in inference.
          tokens: size of the vocabulary, special tokens included.
          units: width of the decoder, a multiple of `heads`.
          dropout: share of what each part of a layer adds that is zeroed in training.
          label_smoothing: see `TeacherForced`.
        """
        super().__init__(label_smoothing)
        self.network = network
        self.embedding = tf.keras.layers.Embedding(tokens, units)
        self.embedding.build(None)
        self.seen = tf.keras.layers.Dense(units)
        self.seen_norm = tf.keras.layers.LayerNormalization()
        _, height, width, channels = network.compute_output_shape([None, image_size, image_size, 3])
        self.seen.build([None, None, channels])
        self.seen_norm.build([None, None, units])
        self.place = self.add_weight("place", [height * width, units], initializer=_small())
        self.decoder = [DecoderLayer(units, heads, dropout) for _ in range(layers)]
        self.norm = tf.keras.layers.LayerNormalization()
        self.norm.build([None, None, units])
        self.bias = self.add_weight("bias", [tokens], initializer="zeros")
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.STATE = ("position", *(f"{what}_{i}" for i in range(layers) for what in ("keys", "values")))

    def call(self, features: Any, training: bool = False) -> Any:
        """Logits `[batch, steps, tokens]` of the tokens after each of `given`, START first, by `image`."""
        places = self.look(features["image"], training)
        given = features["given"]
        steps = tf.shape(given)[1]
        x = self.dropout(self._embed(given, tf.range(steps)), training=training)
        before = tf.linalg.band_part(tf.ones([steps, steps], tf.bool), -1, 0)
        for layer in self.decoder:
            x = layer(x, layer.own_memory(x), before, layer.picture_memory(places), training)
        return self._logits(x)

    def look(self, image: Any, training: bool = False) -> Any:
        """What is seen at each place of pictures uint8 `[batch, height, width, 3]`: `[batch, places, units]`."""
        maps = self.network(image, training=training and self.network.trainable)
        x = self.seen(tf.reshape(maps, [tf.shape(maps)[0], -1, maps.shape[-1]]))
        return self.dropout(self.seen_norm(x + tf.cast(self.place, x.dtype)), training=training)

    def encode(self, image: Any, max_steps: Any) -> dict[str, Any]:
        """What `decode` needs of pictures for captions of up to `max_steps` tokens, START included."""
        places = self.look(image)
        batch = tf.shape(image)[0]
        encoded: dict[str, Any] = {"position": tf.zeros([batch], tf.int32)}
        for i, layer in enumerate(self.decoder):
            nothing = tf.zeros([batch, max_steps, places.shape[-1]], places.dtype)
            encoded |= {f"keys_{i}": nothing, f"values_{i}": nothing}
            encoded[f"seen_keys_{i}"], encoded[f"seen_values_{i}"] = layer.picture_memory(places)
        return encoded

    def decode(self, tokens: Any, encoded: dict[str, Any], training: bool = False) -> tuple[Any, dict[str, Any]]:
        """Reads one further token of each caption, int64 `[batch, 1]`; see `TeacherForced`."""
        position = encoded["position"]
        after = encoded | {"position": position + 1}
        x = self.dropout(self._embed(tokens, position[:, None]), training=training)
        places = tf.range(tf.shape(encoded["keys_0"])[1])
        here = (places == position[:, None])[:, :, None]
        before = (places <= position[:, None])[:, None, None, :]
        for i, layer in enumerate(self.decoder):
            new = layer.own_memory(x)
            kept = tuple(encoded[f"{what}_{i}"] for what in ("keys", "values"))
            own = tuple(tf.where(here, fresh, old) for fresh, old in zip(new, kept, strict=True))
            after[f"keys_{i}"], after[f"values_{i}"] = own
            x = layer(x, own, before, (encoded[f"seen_keys_{i}"], encoded[f"seen_values_{i}"]), training)
        return self._logits(x), after

    def _embed(self, tokens: Any, positions: Any) -> Any:
        x = self.embedding(tokens)
        return x * math.sqrt(x.shape[-1]) + tf.cast(_waves(positions, x.shape[-1]), x.dtype)

    def _logits(self, x: Any) -> Any:
        logits = tf.einsum("btu,vu->btv", self.norm(x), tf.cast(self.embedding.embeddings, x.dtype))
        return tf.cast(logits, tf.float32) + self.bias


class DecoderLayer(tf.keras.layers.Layer):
    """Attention to the tokens before, to the picture, and two dense layers, each added to what it is given."""

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

    def picture_memory(self, places: Any) -> tuple[Any, Any]:
        """Keys and values of places `[batch, places, units]`."""
        return self.keys(places), self.values(places)

    def call(self, x: Any, own: Any, before: Any, picture: Any, training: bool = False) -> Any:
        """
        Args:
          x: `[batch, steps, units]`.
          own: keys and values of tokens, `[batch, kept, units]`.
          before: which of these each step may see, bool that broadcasts to `[batch, heads, steps, kept]`.
          picture: of `picture_memory`.
        """
        found = self.own_output(self._attend(self.own_query(self.norms[0](x)), own[0], own[1], before))
        x = x + self.dropout(found, training=training)
        found = self.output_layer(self._attend(self.query(self.norms[1](x)), picture[0], picture[1]))
        x = x + self.dropout(found, training=training)
        return x + self.dropout(self.narrow(self.wide(self.norms[2](x))), training=training)

    def _attend(self, query: Any, keys: Any, values: Any, allowed: Any = None) -> Any:
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


def _small() -> Any:
    return tf.keras.initializers.RandomNormal(stddev=0.02)
