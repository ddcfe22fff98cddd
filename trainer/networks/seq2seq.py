"""An encoder and a decoder with attention (Sutskever et al. 2014; Bahdanau et al. 2015), as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features.texts import PAD
from trainer.networks.recurrent import gru
from trainer.networks.teacher_forcing import TeacherForced


class Seq2Seq(TeacherForced):
    """Logits of the next token of a target, given a source and the target's tokens before it.

    The encoder is two bidirectional GRU layers (Cho et al. 2014). The decoder has two GRU layers: the first one's
    output asks the encoder's outputs by multiplicative attention (Luong et al. 2015), the second one reads what it was
    answered, so that it knows what has been translated. In training each layer goes over the true tokens at once
    (teacher forcing). The output layer shares its weights with the embedding of target tokens (Press & Wolf 2017).

    Two things let it learn from thousands of pairs rather than millions. Source embeddings go past all layers, through
    the attention, to the output, so that a word's usual translation is learnt at once (after Nguyen & Chiang 2018).
    And attention to a token falls with its distance from the place that is being written, linearly (as in ALiBi, Press
    et al. 2022), by a slope that is learnt: a first guess of what belongs together.

    Sources and targets are int64 `[batch, tokens]`, padded with PAD; targets have neither START nor END.
    """

    TARGET = "target"
    STATE = ("state_0", "state_1", "position")

    def __init__(
        self, source_tokens: int, target_tokens: int, units: int, dropout: float, label_smoothing: float
    ) -> None:
        """
        Args:
          source_tokens: size of the source vocabulary, special tokens included; likewise `target_tokens`.
          units: width of all layers, even.
          dropout: share of what goes from one layer to the next that is zeroed in training.
          label_smoothing: see `TeacherForced`.
        """
        super().__init__(label_smoothing)
        layers = tf.keras.layers
        self.source_embedding = layers.Embedding(source_tokens, units)
        self.target_embedding = layers.Embedding(target_tokens, units)
        self.encoder = layers.Bidirectional(gru(units // 2, return_sequences=True))
        self.encoder_2 = layers.Bidirectional(gru(units // 2, return_sequences=True))
        self.decoder = gru(units, return_sequences=True, return_state=True)
        self.decoder_2 = gru(units, return_sequences=True, return_state=True)
        self.first_states = [layers.Dense(units, activation="tanh") for _ in range(2)]
        self.query = layers.Dense(units, use_bias=False)
        self.combine = layers.Dense(units, activation="tanh")
        self.bias = self.add_weight("bias", [target_tokens], initializer="zeros")
        self.slope = self.add_weight("slope", [], initializer=tf.keras.initializers.Constant(0.5))
        self.dropout = layers.Dropout(dropout)
        self._make_weights(units)

    def _make_weights(self, units: int) -> None:
        """Layer by layer: to call the model on something would trace `encode` once more, which takes seconds."""
        for embedding in (self.source_embedding, self.target_embedding):
            embedding.build(None)
        for layer in (self.encoder, self.encoder_2, self.decoder, self.query, *self.first_states):
            layer.build((None, None, units))
        self.decoder_2.build((None, None, 2 * units))
        self.combine.build((None, None, 3 * units))

    def call(self, features: Any, training: bool = False) -> Any:
        """Logits `[batch, steps, target_tokens]` of the tokens after each of `given`, START first, by `source`."""
        return self.decode(features["given"], self.encode(features["source"], training), training)[0]

    @tf.function  # traced once for all signatures: that of Keras's GRU, with its gradients, takes seconds
    def encode(self, source: Any, training: bool = False) -> dict[str, Any]:
        """What `decode` needs of a source `[batch, tokens]`: a dict of tensors `[batch, ...]`."""
        mask = source != PAD
        x = self.dropout(self.source_embedding(source), training=training)
        x = x + self.dropout(self.encoder(x, mask=mask), training=training)
        x = x + self.dropout(self.encoder_2(x, mask=mask), training=training)
        present = tf.cast(mask, x.dtype)[:, :, None]
        mean = tf.reduce_sum(x * present, 1) / tf.maximum(tf.reduce_sum(present, 1), 1)
        states = {f"state_{i}": dense(mean) for i, dense in enumerate(self.first_states)}
        return {"memory": x, "mask": mask, "position": tf.zeros(tf.shape(source)[:1])} | states

    def decode(self, tokens: Any, encoded: dict[str, Any], training: bool = False) -> tuple[Any, dict[str, Any]]:
        """Reads further tokens of the target.

        Args:
          tokens: int64 `[batch, steps]`, START first.
          encoded: of `encode`, or what an earlier call returned, to go on from there.

        Returns:
          float32 logits `[batch, steps, target_tokens]` of the token after each, and `encoded` brought forward.
        """
        x = self.dropout(self.target_embedding(tokens), training=training)
        x, state = _recur(self.decoder, x, encoded["state_0"])
        x = self.dropout(x, training=training)
        position = encoded["position"][:, None] + tf.range(tf.shape(tokens)[1], dtype=tf.float32)
        found = self._attend(x, position, encoded["memory"], encoded["mask"])
        y, state_2 = _recur(self.decoder_2, tf.concat([x, found], -1), encoded["state_1"])
        y = self.dropout(self.combine(tf.concat([y, x, found], -1)) + found, training=training)
        logits = tf.einsum("btu,vu->btv", y, tf.cast(self.target_embedding.embeddings, y.dtype))
        return tf.cast(logits, tf.float32) + self.bias, encoded | {
            "state_0": state,
            "state_1": state_2,
            "position": position[:, -1] + 1,
        }

    def _attend(self, x: Any, position: Any, memory: Any, mask: Any) -> Any:
        scores = tf.einsum("btu,bsu->bts", self.query(x), memory) / x.shape[-1] ** 0.5
        away = tf.abs(tf.range(tf.shape(memory)[1], dtype=tf.float32) - position[:, :, None])
        scores -= tf.cast(tf.cast(self.slope, tf.float32) * away, scores.dtype)
        scores += (1 - tf.cast(mask, scores.dtype)[:, None, :]) * scores.dtype.min / 2
        return tf.einsum("bts,bsu->btu", tf.nn.softmax(scores), memory)


def _recur(layer: Any, x: Any, state: Any) -> tuple[Any, Any]:
    """Outputs `[batch, steps, units]` and the last state `[batch, units]`; a single step takes no loop."""
    if x.shape[1] != 1:
        outputs, state = layer(x, initial_state=state)
        return outputs, state
    output, [state] = layer.cell(x[:, 0], [state])
    return output[:, None], state
