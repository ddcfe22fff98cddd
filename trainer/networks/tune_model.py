"""A recurrent model of tunes. Imports TensorFlow; import it where it is used."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from trainer.backend import tf
from trainer.features import tunes
from trainer.features.texts import END, PAD, START, UNKNOWN
from trainer.features.tunes import HEAD
from trainer.networks import sampling
from trainer.networks.recurrent import lstm
from trainer.networks.teacher_forcing import TeacherForced, given_and_wanted

POSITIONS = 192
"""Places in a bar that are told apart, a sixty-fourth each; later ones are the last."""
POSITION_SIZE = 32
BARS = 32
"""Bars that are told apart; then they begin again."""
BARS_SIZE = 16
FREE = -1
"""In place of a token that is to be drawn."""
FORBIDDEN = -1e9


class TuneModel(TeacherForced):
    """The probabilities of the next token of a tune, given those before it.

    Beside the embedding of a token an LSTM (Hochreiter & Schmidhuber 1997) reads where in its bar the tune stands then,
    and in which bar: what follows from how long all notes since the bar line are it need not count itself.
    """

    TARGET: ClassVar[str] = "tune"

    def __init__(
        self,
        tokens: tunes.Tokens,
        keynotes: np.ndarray[Any, Any],
        embedding_size: int,
        units: int,
        layers: int,
        dropout: float,
    ) -> None:
        """
        Args:
          keynotes: float32 `[keynotes, modes]`, how likely each keynote is; of each mode they add up to 1.
          dropout: share of what each LSTM gives that is zeroed in training.
        """
        super().__init__(label_smoothing=0.0)
        make = tf.keras.layers
        self.tokens = tokens
        self.embedding = make.Embedding(len(tokens), embedding_size)
        self.position = make.Embedding(POSITIONS, POSITION_SIZE)
        self.bar = make.Embedding(BARS, BARS_SIZE)
        self.recurrent = [lstm(units, return_sequences=True) for _ in range(layers)]
        self.dropout = make.Dropout(dropout)
        self.output_layer = make.Dense(len(tokens), dtype="float32")
        for embedding in (self.embedding, self.position, self.bar):
            embedding.build(None)
        read = embedding_size + POSITION_SIZE + BARS_SIZE
        for i, layer in enumerate(self.recurrent):
            layer.build((None, None, units if i else read))
        self.output_layer.build((None, None, units))
        self.keynotes = self.add_weight(
            "keynotes", keynotes.shape, tf.float32, tf.constant_initializer(keynotes), trainable=False
        )

    def call(self, features: Any, training: bool = False) -> Any:
        """Logits float32 `[batch, steps, tokens]` of the token after each of `features["given"]`, START first."""
        given = features["given"]
        place = tunes.places(given, self.tokens)
        read = self._read(given, place.position, place.bars)
        for layer in self.recurrent:
            read = self.dropout(layer(read), training=training)
        return self.output_layer(read)

    def bits(self, tune: Any) -> tuple[Any, Any, Any]:
        """What the tokens of whole tunes behind their heads cost, and their ends, by what is before each: bits, how
        many tokens there are, and how many of them are unknown, which cost what names them, too; float32 `[batch]`."""
        length = tf.reduce_sum(tf.cast(tune != PAD, tf.int64), 1)
        tune = tune[:, : tf.reduce_max(length)]
        given, wanted = given_and_wanted(tune)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, self({"given": given}))[:, HEAD:]
        wanted = wanted[:, HEAD:]
        there, unknown = (tf.cast(mask, tf.float32) for mask in (wanted != PAD, wanted == UNKNOWN))
        bits = nats / math.log(2.0) * there + unknown * tunes.SPELLING_BITS
        return tuple(tf.reduce_sum(one, 1) for one in (bits, there, unknown))

    def compose(self, forced: Any, choice: sampling.Choice, uniform: Any) -> Any:
        """Tunes, int64 `[rows, steps]`: mode, metre and bars; END behind the last token.

        Args:
          forced: int64 `[rows, at least HEAD]`, the tokens that a tune begins with; FREE for what is to be drawn.
          uniform: float32 `[rows, steps]`, of `sampling.uniforms`.
        """
        start = tf.fill([tf.shape(uniform)[0]], tf.constant(START, tf.int64))
        zero = tf.zeros([tf.shape(start)[0], self.recurrent[0].cell.units])
        state = (
            tf.zeros_like(start, tf.int32),
            tuple(tunes.Place.first(start)),
            tuple((zero, zero) for _ in self.recurrent),
            tf.pad(forced, [[0, 0], [0, 1]], constant_values=FREE),
        )
        masks = tf.constant(np.where(self.tokens.may_stand, 0.0, FORBIDDEN).astype(np.float32))

        def step(numbers: Any, state: Any) -> tuple[Any, Any]:
            made, place, memory, known = state
            logits, place, memory = self._step(numbers, tunes.Place(*place), memory)
            logits += tf.gather(masks, tf.minimum(made, HEAD))
            must = tf.gather(known, tf.minimum(made, tf.shape(forced)[1]), batch_dims=1)
            only = tf.one_hot(must, len(self.tokens), 0.0, FORBIDDEN)
            logits = tf.where((must == FREE)[:, None], logits, only)
            return logits, (made + 1, tuple(place), memory, known)

        return sampling.generate_until(END, step, start, state, choice, uniform)

    def _step(self, numbers: Any, place: tunes.Place, memory: Any) -> tuple[Any, tunes.Place, Any]:
        place = tunes.advance(place, numbers, self.tokens)
        read = self._read(numbers, place.position, place.bars)
        after = []
        for layer, old in zip(self.recurrent, memory, strict=True):
            read, new = layer.cell(read, list(old))
            after.append(tuple(new))
        return self.output_layer(read), place, tuple(after)

    def _read(self, numbers: Any, position: Any, bars: Any) -> Any:
        step = tf.clip_by_value(position * 64 // tunes.TICKS, 0, POSITIONS - 1)
        return tf.concat([self.embedding(numbers), self.position(step), self.bar(bars % BARS)], -1)
