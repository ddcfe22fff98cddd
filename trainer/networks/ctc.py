"""Connectionist temporal classification (Graves et al. 2006): model, loss and decoding, for text out of a sequence.

The alphabet is a vocabulary of `n` symbols, numbered 0 to n - 1, and the blank, n. A Keras class is derived from here:
import this module where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.backend import tf
from trainer.features.audio import SUBSAMPLING, dequantise
from trainer.features.texts import SPACE, spaced_characters
from trainer.networks.lexicon import Lexicon
from trainer.networks.recurrent import gru
from trainer.task import Features

MAX_WORDS = 5000
"""Of a lexicon: the most frequent."""


class Crnn(tf.keras.Model):
    """Convolutions over time and frequency, then bidirectional GRUs: Deep Speech 2 (Amodei et al. 2016), much smaller.

    Takes `log_mel` uint8 `[batch, longest, bands, 1]` and `frames` int64 `[batch]`; gives `logits` float32
    `[batch, steps, n + 1]` and `steps` int32 `[batch]`, how many of them count. Of the targets it is
    trained on `text`: symbols, int64 `[batch, longest]`, padded with -1. Of those that are too many for the steps
    nothing is learnt; their share is logged as `too_long`.

    What it makes of a sound does not depend on how far that is padded: padding is zero again after each layer, and
    the convolutions are aligned to the left.
    """

    def __init__(
        self, symbols: int, filters: int, units: int, layers: int, dropout: float, global_batch_size: int
    ) -> None:
        super().__init__()
        keras = tf.keras.layers
        self._global_batch_size = global_batch_size
        self._loss_mean = tf.keras.metrics.Mean(name="loss")
        self._too_long_mean = tf.keras.metrics.Mean(name="too_long")
        self._pad = keras.ZeroPadding2D(1)  # padding="same" would shift with the length's being odd or even
        self._convolutions = [
            keras.Conv2D(filters, 3, strides=(SUBSAMPLING, 2), use_bias=False),
            keras.Conv2D(2 * filters, 3, strides=(1, 2), use_bias=False),
            keras.Conv1D(units, 5, padding="same", use_bias=False),
        ]
        self._normalisations = [keras.BatchNormalization(momentum=0.9) for _ in self._convolutions]
        self._rectifiers = [keras.ReLU() for _ in self._convolutions]  # layers, so that training health sees them
        self._recurrent = [keras.Bidirectional(gru(units, return_sequences=True)) for _ in range(layers)]
        self._dropout = keras.Dropout(dropout)
        self._output = keras.Dense(symbols + 1, dtype="float32")

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Features:
        sound, frames = inputs["log_mel"], inputs["frames"]
        longest = tf.shape(sound)[1]
        within = tf.sequence_mask(frames, longest)[:, :, tf.newaxis, tf.newaxis]
        x = tf.cast(tf.where(within, dequantise(sound), 0.0), self.compute_dtype)
        steps = tf.cast((frames + SUBSAMPLING - 1) // SUBSAMPLING, tf.int32)
        mask = tf.sequence_mask(steps, (longest + SUBSAMPLING - 1) // SUBSAMPLING)
        *over_both, over_time = zip(self._convolutions, self._normalisations, self._rectifiers, strict=True)
        for convolution, normalisation, rectifier in over_both:
            x = rectifier(normalisation(convolution(self._pad(x)), training=training))
            x *= tf.cast(mask, x.dtype)[:, :, tf.newaxis, tf.newaxis]
        x = tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], x.shape[2] * x.shape[3]])
        convolution, normalisation, rectifier = over_time
        x = rectifier(normalisation(convolution(self._dropout(x, training=training)), training=training))
        x *= tf.cast(mask, x.dtype)[:, :, tf.newaxis]
        for recurrent in self._recurrent:
            x = recurrent(self._dropout(x, training=training), mask=mask, training=training)
        return {"logits": self._output(self._dropout(x, training=training)), "steps": steps}

    @property
    def metrics(self) -> list[Any]:
        return [self._loss_mean, self._too_long_mean]

    def complaint(self, features: Any, targets: Any) -> tuple[str, str]:
        """What training health says of data of which nothing can be learnt, and what to do about it."""
        steps = self(features)["steps"]
        if bool(tf.reduce_any(fits_in(targets["text"], steps))):
            return "", ""
        return (
            f"can learn nothing: each of {len(steps)} held-out transcripts has more characters than its sound has time"
            " for",
            "see that each transcript is that of its own sound, and that sounds are not cut short",
        )

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        losses = loss(y["text"], y_pred["logits"], y_pred["steps"])
        fits = tf.cast(fits_in(y["text"], y_pred["steps"]), tf.float32)
        self._loss_mean.update_state(losses, fits)  # else what does not fit, at 0, would pass for what is learnt best
        self._too_long_mean.update_state(1.0 - fits)
        return tf.nn.compute_average_loss(losses, global_batch_size=self._global_batch_size)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        return {metric.name: metric.result() for metric in self.metrics}


def index_characters(text: Any, name: str) -> Any:
    """Lower-cased texts, string `[batch]`, as symbols: int64 RaggedTensor `[batch, None]`. For use in `preprocess`.

    A full pass makes the vocabulary `name` of the train split's characters, with `SPACE` for any whitespace. Others
    are left out.
    """
    import tensorflow_transform as tft

    symbols = tft.compute_and_apply_vocabulary(spaced_characters(text), default_value=-1, vocab_filename=name)
    return tf.ragged.boolean_mask(symbols, symbols >= 0)


def index_words(text: Any, name: str) -> None:
    """A full pass makes the vocabulary `name` of the train split's words, lower-cased, the most frequent of them: of
    which a `Lexicon` is made. For use in `preprocess`."""
    import tensorflow_transform as tft

    words = tf.strings.split(tf.strings.lower(text, encoding="utf-8")).flat_values
    tft.vocabulary(words, top_k=MAX_WORDS, vocab_filename=name)


def fits_in(symbols: Any, steps: Any) -> Any:
    """Whether symbols, int64 `[batch, longest]`, padded with -1, can be said in so many steps, int32 `[batch]`."""
    counts = tf.reduce_sum(tf.cast(symbols >= 0, tf.int32), axis=1)
    repeats = tf.reduce_sum(tf.cast((symbols[:, 1:] == symbols[:, :-1]) & (symbols[:, 1:] >= 0), tf.int32), axis=1)
    return counts + repeats <= steps  # a blank must part two of the same


def loss(symbols: Any, logits: Any, steps: Any) -> Any:
    """-log of the probability of `symbols`, over all ways to spread them over the steps.

    Args:
      symbols: int64 `[batch, longest]`, padded with -1.
      logits: float32 `[batch, steps, n + 1]`.
      steps: int32 `[batch]`.

    Returns:
      float32 `[batch]` in nats; 0 where the symbols are too many for the steps, from which nothing can be learnt.
    """
    counts, fits = tf.reduce_sum(tf.cast(symbols >= 0, tf.int32), axis=1), fits_in(symbols, steps)
    ragged = tf.RaggedTensor.from_tensor(symbols, lengths=tf.where(fits, counts, 0))
    return tf.where(fits, _negative_log_likelihood(ragged, logits, steps), 0.0)


def decode(
    logits: Any,
    steps: Any,
    vocabulary: Sequence[str],
    beam_width: int,
    lexicon: Lexicon | None = None,
    unknown_word: float = 0.0,
) -> Features:
    """The most probable text: of the best path with `beam_width` 1, else by prefix beam search (Graves 2012, ch. 7).

    With a lexicon, what its best path spells stands against that. Each known word is as probable as any other, and an
    unknown one less by `unknown_word` nats, so that words which nobody has heard before are written where they are
    heard clearly. To say nothing is as rare as an unknown word.

    Args:
      logits: float32 `[batch, steps, n + 1]`.
      steps: int32 `[batch]`.
      vocabulary: the `n` symbols, with `SPACE` for the space.
      lexicon: of the same vocabulary.

    Returns:
      `transcript` string `[batch]`, and `confidence` float32 `[batch]`, the probability of just these symbols.
    """
    time_major = tf.transpose(logits, [1, 0, 2])
    if beam_width == 1:
        [decoded], _ = tf.nn.ctc_greedy_decoder(time_major, steps)
    else:
        [decoded], _ = tf.nn.ctc_beam_search_decoder(time_major, steps, beam_width, top_paths=1)
    rows = tf.shape(logits, tf.int64)[0]
    symbols = tf.RaggedTensor.from_value_rowids(decoded.values, decoded.indices[:, 0], nrows=rows)
    heard = _text(symbols, vocabulary), _negative_log_likelihood(symbols, logits, steps)
    if lexicon is None or not lexicon.is_usable:
        return {"transcript": heard[0], "confidence": tf.exp(-heard[1])}
    path = lexicon.best_path(tf.nn.log_softmax(logits), steps)
    spelt = _text(path, vocabulary), _negative_log_likelihood(path, logits, steps)
    costs = [likelihood + _cost_of_words(text, lexicon, unknown_word) for text, likelihood in (heard, spelt)]
    is_spelt = costs[1] <= costs[0]
    transcript, likelihood = (tf.where(is_spelt, one, other) for one, other in zip(spelt, heard, strict=True))
    return {"transcript": transcript, "confidence": tf.exp(-likelihood)}


def _cost_of_words(texts: Any, lexicon: Lexicon, unknown_word: float) -> Any:
    """-log of the probability of the words of texts, string `[batch]`, up to a constant: float32 `[batch]`."""
    words = tf.strings.split(texts)
    is_known = tf.reduce_any(words.flat_values[:, tf.newaxis] == tf.constant(lexicon.words), axis=1)
    costs = lexicon.word_cost + tf.where(is_known, 0.0, unknown_word)
    of_nothing = lexicon.word_cost + unknown_word
    return tf.where(texts == "", of_nothing, tf.reduce_sum(words.with_flat_values(costs), axis=1))


def _negative_log_likelihood(symbols: Any, logits: Any, steps: Any) -> Any:
    """Of symbols int64 RaggedTensor `[batch, None]`, which must fit. TensorFlow's own knows no empty rows."""
    counts = symbols.row_lengths()
    dense = tf.pad(tf.cast(symbols.to_tensor(0), tf.int32), [[0, 0], [0, 1]])
    rows = tf.RaggedTensor.from_tensor(dense, lengths=tf.maximum(counts, 1)).to_sparse()
    said = tf.nn.ctc_loss(rows, logits, None, steps, logits_time_major=False, blank_index=-1)
    blanks = tf.where(tf.sequence_mask(steps, tf.shape(logits)[1]), tf.nn.log_softmax(logits)[:, :, -1], 0.0)
    return tf.where(counts > 0, said, -tf.reduce_sum(blanks, axis=1))


def _text(symbols: Any, vocabulary: Sequence[str]) -> Any:
    characters = symbols.with_flat_values(tf.gather(tf.constant(list(vocabulary)), symbols.flat_values))
    joined = tf.strings.regex_replace(tf.strings.reduce_join(characters, axis=-1), f"{SPACE}+", " ")
    return tf.strings.strip(joined)
