"""An encoder of what was said and a decoder of the reply, mixed with a smoothed n-gram of replies, as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features.texts import END, NUM_SPECIAL, START
from trainer.networks.ngrams import NGramMixture
from trainer.networks.teacher_forcing import TeacherForced
from trainer.networks.text_encoders import TransformerEncoder
from trainer.networks.transformer import TokenDecoder
from trainer.references.kneser_ney import KneserNey


class Replier(TeacherForced):
    """The probabilities of the next token of a reply, given what was said and the reply's tokens before it.

    Encoder and decoder are a Transformer's and share their embedding of tokens; a call gives the logits of the decoder.
    An n-gram of the replies stands beside it, and a gate says how much either counts (`NGramMixture`).

    Contexts and replies are int64 `[batch, tokens]`, padded with PAD; replies have neither START nor END.
    """

    TARGET = "response"

    def __init__(self, tokens: int, units: int, layers: int, heads: int, dropout: float, ngrams: KneserNey) -> None:
        """
        Args:
          tokens: size of the vocabulary, special tokens included.
          units: width of all layers, a multiple of `heads`.
          layers: of the encoder, and of the decoder.
          dropout: share of what each part of a layer adds that is zeroed in training.
        """
        super().__init__(label_smoothing=0.0)
        self.decoder = TokenDecoder(tokens, units, layers, heads, dropout)
        self.encoder = TransformerEncoder(units, layers, heads, dropout)
        self.mixture = NGramMixture(ngrams, units)
        self.STATE = (*self.decoder.STATE, "before")

    def call(self, features: Any, training: bool = False) -> Any:
        """The network's logits `[batch, steps, tokens]` of what follows each of `given`, START first, by `context`."""
        return self.decoder.logits(self._read(features, training))

    def _read(self, features: Any, training: bool) -> Any:
        seen, there = self._look(features["context"], features["context_length"], training)
        return self.decoder(features["given"], seen, there, training=training)

    def _look(self, context: Any, length: Any, training: bool = False) -> tuple[Any, Any]:
        length = tf.cast(length, tf.int32)
        seen = self.encoder(self.decoder.embedding(context), length, training=training)
        return seen, tf.sequence_mask(length, tf.shape(context)[1])

    def costs(self, features: Any, wanted: Any, training: bool) -> tuple[Any, Any, Any]:
        """The network is to learn also what the n-gram knows, which has counted the replies that are trained on."""
        costs, alone, logits = self._costs(features, wanted, training, leave_one_out=True)
        return costs + alone, costs, logits

    def nats(self, features: Any, wanted: Any) -> Any:
        """What each token of replies costs that training has not seen: float32 `[batch, steps]`, also of PAD.

        Args:
          features: `given` among them.
          wanted: the tokens behind `given`.
        """
        return self._costs(features, wanted, training=False, leave_one_out=False)[0]

    def _costs(self, features: Any, wanted: Any, training: bool, leave_one_out: bool) -> tuple[Any, Any, Any]:
        """What each token costs, what it costs by the network alone, and the logits of that."""
        known = self._read(features, training)
        logits = self.decoder.logits(known)
        alone = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        replies = tf.pad(wanted, [[0, 0], [1, 0]], constant_values=START)
        return self.mixture.costs(replies, alone, known, leave_one_out), alone, logits

    def encode(self, context: Any, length: Any, max_steps: Any) -> dict[str, Any]:
        """What `decode` needs of contexts for replies of up to `max_steps` tokens, START included."""
        seen, there = self._look(context, length)
        return self.decoder.begin(seen, max_steps, there) | {
            "before": self.mixture.nothing_before(tf.shape(context)[0])
        }

    def decode(self, tokens: Any, encoded: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Reads one further token of each reply, int64 `[batch, 1]`: the logarithms of the mixed probabilities,
        `[batch, 1, tokens]`; see `TeacherForced`. Of special tokens END alone may follow, and only behind another."""
        known, after = self.decoder.step(tokens, encoded)
        before = tf.concat([encoded["before"], tokens], 1)
        own = tf.nn.softmax(self.decoder.logits(known)[:, 0])
        mixed = tf.math.log(self.mixture.following(own, before, known[:, 0]))
        number = tf.range(tf.shape(mixed)[-1])
        is_first = (encoded["position"] == 0)[:, None]
        barred = (number < NUM_SPECIAL) & (is_first | (number != END))
        return tf.where(barred, -float("inf"), mixed)[:, None], after | {"before": before[:, 1:]}
