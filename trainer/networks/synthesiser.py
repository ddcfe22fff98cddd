"""Speech out of characters, all frames at once. Imports TensorFlow; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features import audio
from trainer.networks import alignment
from trainer.networks.speaker import ALIGNED_BY, Speaker, places, whole_frames

PLACE_FEATURES = 4
"""See `spread_out`."""
DURATION_WEIGHT = 0.2
"""Of the loss of durations, in that of both."""


class Synthesiser(tf.keras.Model):
    """A small FastSpeech (Ren et al. 2019): an encoder of characters, the frames that each lasts, and a decoder of all
    frames at once, of convolutions with residual connections in place of attention.

    The durations it is taught are those of `alignment`, found in each batch by the Gaussians of a `Speaker`, which are
    weights that training does not change. What is padded is 0 after each layer, so that an answer does not depend on
    how far its batch is padded.

    Takes `text` int64 `[batch, longest]`, symbols padded with -1; of the targets it is trained on `sound`, uint8
    `[batch, frames, bands, 1]` of `audio.levels_of`, of which the feature `frames` int64 `[batch]` count.
    """

    def __init__(self, speaker: Speaker, width: int, layers: int, size: int, dropout: float, floor: float) -> None:
        """
        Args:
          width: channels of each layer.
          layers: of the encoder, and twice as many of the decoder.
          size: characters or frames that a convolution sees.
          dropout: share of the channels that is zeroed in training.
          floor: decibels, below which nothing is.
        """
        super().__init__()
        make = tf.keras.layers
        symbols, bands = speaker.spectra.shape
        self.silence = symbols - 1
        self._means = {name: tf.keras.metrics.Mean(name=name) for name in ("loss", "spectrum_loss", "duration_loss")}
        self.embedding = make.Embedding(symbols + 1, width)  # the last is padding
        self.encoder = [_Block(width, size, dropout) for _ in range(layers)]
        self.timing = [_Block(width, 3, dropout)]
        self.timing_output = make.Dense(1, dtype="float32")
        self.enter = make.Dense(width)
        self.decoder = [_Block(width, size, dropout) for _ in range(2 * layers)]
        self.output_layer = make.Dense(bands, dtype="float32")
        fixed = {
            "centre": speaker.centre,
            "spread": speaker.spread,
            "cepstral_centre": speaker.cepstral_centre,
            "cepstral_spread": speaker.cepstral_spread,
            "voice_mean": speaker.voice.mean,
            "voice_deviation": speaker.voice.deviation,
            "usual_frames": speaker.frames,
            "floor": np.array(floor),
        }
        self._fixed = {
            name: self.add_weight(
                name,
                value.shape,
                tf.float32,
                tf.constant_initializer(value),
                trainable=False,
                experimental_autocast=False,  # decibels are float32 in half precision too
            )
            for name, value in fixed.items()
        }

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Decibels float32 `[batch, frames, bands]` at the voice's own pace."""
        return self.speak(inputs["text"], tf.ones_like(inputs["text"][:, 0], tf.float32))[0]

    def speak(self, text: Any, rate: Any) -> tuple[Any, Any, Any]:
        """A text as the model itself times it.

        Args:
          text: int64 `[batch, longest]`, padded with -1.
          rate: float32 `[batch]`, times as fast as the voice.

        Returns:
          Decibels float32 `[batch, frames, bands]`, at least `floor`; how many frames count, int32 `[batch]`; and how
          many each place lasts, silences among them, int32 `[batch, longest + 2]`, 0 for padding.
        """
        symbols, count = places(text, self.silence)
        hidden, there = self._encoded(symbols, count, training=False)
        lasting = whole_frames(self._log_frames(hidden, symbols, there, training=False), there, rate[:, None])
        deviations, frames = self._decoded(hidden, lasting, training=False)
        decibels = tf.maximum(deviations * self._fixed["spread"] + self._fixed["centre"], self._fixed["floor"])
        return decibels, frames, lasting

    def heard(self, levels: Any) -> Any:
        """Decibels float32 `[batch, frames, bands]` of a recording, uint8 `[batch, frames, bands, 1]`."""
        return audio.decibels_of(levels[..., 0], self._fixed["floor"])

    def aligned(self, text: Any, decibels: Any, frames: Any) -> Any:
        """How long each place lasts in a recording: int32 `[batch, places]`."""
        symbols, count = places(text, self.silence)
        cepstra = audio.mfcc(decibels, ALIGNED_BY)
        standard = (cepstra - self._fixed["cepstral_centre"]) / self._fixed["cepstral_spread"]
        found = alignment.scores(standard, self._fixed["voice_mean"], self._fixed["voice_deviation"], symbols)
        return alignment.durations(found, count, frames)

    def _encoded(self, symbols: Any, count: Any, training: bool) -> tuple[Any, Any]:
        there = tf.sequence_mask(count, tf.shape(symbols)[1])
        x = self.embedding(tf.where(symbols < 0, tf.constant(self.silence + 1, tf.int64), symbols))
        return _through(self.encoder, x, there, training), there

    def _log_frames(self, hidden: Any, symbols: Any, there: Any, training: bool) -> Any:
        """As the change from what is usual for each symbol."""
        usual = tf.math.log(tf.gather(self._fixed["usual_frames"], tf.maximum(symbols, 0)))
        return usual + self.timing_output(_through(self.timing, hidden, there, training))[..., 0]

    def _decoded(self, hidden: Any, durations: Any, training: bool) -> tuple[Any, Any]:
        x, frames = spread_out(hidden, durations)
        there = tf.sequence_mask(frames, tf.shape(x)[1])
        x = _through(self.decoder, self.enter(x), there, training)
        return self.output_layer(x), frames

    # --- training ---

    def train_step(self, data: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            loss, sums = self._judged(data, training=True)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(sums)

    def test_step(self, data: Any) -> dict[str, Any]:
        return self._log(self._judged(data, training=False)[1])

    def answers(self, features: Any, targets: Any) -> Any:
        """What training health looks at: the spectra of texts, as far as the shortest of its batch goes."""
        return self(features)[:, : tf.shape(features["text"])[1]]

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def _judged(self, data: Any, training: bool) -> tuple[Any, Any]:
        """The loss to lower; for this replica's batch the sums of both losses, and of what they are."""
        features, target = data[0], self.heard(data[1]["sound"])
        text, frames = features["text"], features["frames"]
        symbols, count = places(text, self.silence)
        lasting = self.aligned(text, target, frames)
        hidden, there = self._encoded(symbols, count, training)
        logs = self._log_frames(hidden, symbols, there, training)
        made, _ = self._decoded(hidden, lasting, training)
        wanted = (target - self._fixed["centre"]) / self._fixed["spread"]
        within = tf.sequence_mask(frames, tf.shape(target)[1], tf.float32)
        spectrum = tf.reduce_sum(tf.reduce_mean(tf.abs(made - wanted), -1) * within)
        late = tf.abs(logs - tf.math.log(tf.maximum(tf.cast(lasting, tf.float32), 1.0)))
        timing = tf.reduce_sum(late * tf.cast(there, tf.float32))
        sums = tf.stack([spectrum, tf.reduce_sum(within), timing, tf.cast(tf.reduce_sum(count), tf.float32)])
        # Gradients are summed over replicas, whose batches differ in frames and characters.
        total = tf.distribute.get_replica_context().all_reduce("sum", sums)
        return spectrum / total[1] + DURATION_WEIGHT * timing / total[3], sums

    def _log(self, sums: Any) -> dict[str, Any]:
        spectrum, frames, timing, characters = tf.unstack(sums)
        self._means["spectrum_loss"].update_state(spectrum / frames, frames)
        self._means["duration_loss"].update_state(timing / characters, characters)
        self._means["loss"].update_state(spectrum / frames + DURATION_WEIGHT * timing / characters, frames)
        return {name: mean.result() for name, mean in self._means.items()}


def spread_out(hidden: Any, durations: Any) -> tuple[Any, Any]:
    """What is known of each place, repeated for each of its frames, and where in the place a frame is.

    Args:
      hidden: float32 `[batch, places, width]`.
      durations: int32 `[batch, places]`.

    Returns:
      float32 `[batch, longest, width + PLACE_FEATURES]`, and how many frames count, int32 `[batch]`.
    """
    ends = tf.cumsum(durations, 1)
    frames = ends[:, -1]
    frame = tf.range(tf.reduce_max(frames))
    place = tf.searchsorted(ends, tf.tile(frame[None], [tf.shape(ends)[0], 1]), side="right")
    place = tf.minimum(place, tf.shape(ends)[1] - 1)
    lasting = tf.cast(tf.gather(durations, place, batch_dims=1), tf.float32)
    left = tf.gather(ends, place, batch_dims=1) - frame
    after = tf.cast(tf.maximum(left, 1), tf.float32) - 0.5  # far behind the end its exponential would overflow
    before = lasting - after
    where = [before / tf.maximum(lasting, 1.0), tf.math.log1p(lasting), *(tf.exp(-one / 3) for one in (before, after))]
    known = tf.gather(hidden, place, batch_dims=1)
    return tf.concat([known, tf.cast(tf.stack(where, -1), known.dtype)], -1), frames


class _Block(tf.keras.layers.Layer):
    """A convolution over time behind a normalisation of each frame, beside which its input passes."""

    def __init__(self, width: int, size: int, dropout: float) -> None:
        super().__init__()
        make = tf.keras.layers
        self.normalisation = make.LayerNormalization()
        self.convolution = make.Conv1D(width, size, padding="same")
        self.rectifier = make.ReLU()  # a layer, so that training health sees it
        self.mix = make.Dense(width)
        self.dropout = make.Dropout(dropout)

    def call(self, x: Any, mask: Any, training: bool = False) -> Any:
        """`mask`: 0 where x is padding, else 1, float32 `[batch, steps, 1]`."""
        y = self.rectifier(self.convolution(self.normalisation(x) * mask))
        return (x + self.dropout(self.mix(y), training=training)) * mask


def _through(blocks: Any, x: Any, there: Any, training: bool) -> Any:
    """Blocks one after the other. `there`: bool `[batch, steps]`, false for padding."""
    mask = tf.cast(there, x.dtype)[..., None]
    x *= mask
    for block in blocks:
        x = block(x, mask, training=training)
    return x
