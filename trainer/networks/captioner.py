"""A convolutional encoder of pictures and a Transformer decoder that writes what they show, as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.teacher_forcing import TeacherForced
from trainer.networks.transformer import TokenDecoder


class Captioner(TeacherForced):
    """Logits of the next token of a caption, given a picture and the caption's tokens before it.

    The encoder's last feature maps are a row of places, each with its position learnt, which the decoder attends to
    (Xu et al. 2015).
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
        self.seen = tf.keras.layers.Dense(units)
        self.seen_norm = tf.keras.layers.LayerNormalization()
        _, height, width, channels = network.compute_output_shape([None, image_size, image_size, 3])
        self.seen.build([None, None, channels])
        self.seen_norm.build([None, None, units])
        self.place = self.add_weight("place", [height * width, units], initializer=_small())
        self.decoder = TokenDecoder(tokens, units, layers, heads, dropout)
        self.dropout = tf.keras.layers.Dropout(dropout)
        self.STATE = self.decoder.STATE

    def call(self, features: Any, training: bool = False) -> Any:
        """Logits `[batch, steps, tokens]` of the tokens after each of `given`, START first, by `image`."""
        places = self.look(features["image"], training)
        return self.decoder.logits(self.decoder(features["given"], places, training=training))

    def look(self, image: Any, training: bool = False) -> Any:
        """What is seen at each place of pictures uint8 `[batch, height, width, 3]`: `[batch, places, units]`."""
        maps = self.network(image, training=training and self.network.trainable)
        x = self.seen(tf.reshape(maps, [tf.shape(maps)[0], -1, maps.shape[-1]]))
        return self.dropout(self.seen_norm(x + tf.cast(self.place, x.dtype)), training=training)

    def encode(self, image: Any, max_steps: Any) -> dict[str, Any]:
        """What `decode` needs of pictures for captions of up to `max_steps` tokens, START included."""
        return self.decoder.begin(self.look(image), max_steps)

    def decode(self, tokens: Any, encoded: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Reads one further token of each caption, int64 `[batch, 1]`; see `TeacherForced`."""
        known, after = self.decoder.step(tokens, encoded)
        return self.decoder.logits(known), after


def _small() -> Any:
    return tf.keras.initializers.RandomNormal(stddev=0.02)
