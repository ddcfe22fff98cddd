"""Keyword spotting (question 9): which of a set of words is said in a sound?

Method: mel-frequency cepstral coefficients in the graph, 26 frames of 13 (one each 40 ms, of 64 ms each; 26 mel bands
up to 4 kHz at 8 kHz, orthonormal DCT-II, no lifter: `trainer.features.audio.mfcc`), through convolutions (Sainath &
Parada 2015; `trainer.networks.keyword_cnn`). Sounds `[]` of any rate and length, WAV in the graph -> class
probabilities `[classes]` float32. Loudness does not matter. The answer is that of the loudest window of 1.04 s;
`over_time` says what is heard in every other, so that words are spotted in a long recording, too.

While it trains, the loudest window is moved to and fro, and it is given other speakers, rooms and noise; the noise is
that of the folder `_background_noise_`, where the data has one. Words that are none of the keywords may be a class,
`_unknown_`. Without one, and for what no class fits, there is a threshold: `answer` is `unknown` below the probability
that REFUSED of the right answers stay below, measured on the examples that training held out.

`voice` may say who speaks: it is scored apart, and of an unsplit folder no voice is on both sides. Speech Commands has
it in its file names.

Default data: `spoken_words`, 34 keywords and 44 other words by synthetic voices, of which seven are held out, and by
one real person, who is held out, too. Reference: mean and deviation of the MFCC, logistic regression.
Measured scores and seconds: `docs/results.md`. Command: `benison run keyword_spotting`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Audio, Backdrop, Identifier, Label
from trainer.backend import tf
from trainer.families import classification, sounds
from trainer.features import audio, optional
from trainer.preview import as_text
from trainer.task import DataSpec, Evaluation, Features, Metric

UNKNOWN = "unknown"
"""The answer to a sound that is none of the words."""

UNKNOWN_CLASSES = ("_unknown_", "unknown")
"""What a class of other words may be called."""

REFUSED = 0.05
"""Share of the right answers that fall below the threshold."""

CENTRE, SPREAD = -14.0, 20.0
"""Decibels: mean and deviation of spectrograms of words, to which augmentation's strengths are relative."""

SPEAKERS = (r"(.+)_nohash_\d+",)
"""How Speech Commands names who speaks in the name of a file."""


@dataclass(frozen=True)
class KeywordSpottingHParams(sounds.SoundHParams):
    epochs: int = field(default=30, metadata={"min": 1})
    min_steps: int = field(default=2500, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    sample_rate: int = field(default=8000, metadata={"min": 4000, "max": 48000})
    """Hz to which sounds are brought. 8,000 is a telephone's; 16,000 keeps more of wide-band recordings."""
    bands: int = field(default=26, metadata={"min": 8, "max": 256})
    coefficients: int = field(default=13, metadata={"min": 2, "max": 256})
    """Of the cepstrum, at most as many as bands."""
    window_seconds: float = field(default=1.04, metadata={"min": 0.2, "max": 10.0})
    """Of the sound that one answer is given to: 26 frames."""
    filters: int = field(default=32, metadata={"min": 1})
    """Of the first convolution; the last has four times as many."""
    shift: float = field(default=0.1, metadata={"min": 0.0, "max": 1.0})
    """Seconds by which windows are moved at most in training."""
    warp: float = field(default=0.15, metadata={"min": 0.0, "max": 0.5})
    tilt: float = field(default=0.4, metadata={"min": 0.0})
    noise: float = field(default=2.0, metadata={"min": 0.0})
    """See `audio.random_voice_and_room`."""
    band_mask: int = field(default=4, metadata={"min": 0})
    time_mask: int = field(default=3, metadata={"min": 0})
    """Widest masks, in bands and in frames."""


class KeywordSpotting(sounds.SoundClassifierTask):
    title = "Keyword spotting"
    questions = (9,)
    data = "spoken_words"
    columns = {
        "sound": Audio(
            max_seconds=sounds.LONGEST_SECONDS, description="a word, or a recording in which words are said"
        ),
        "label": Label(description="the word"),
        "voice": Identifier(optional=True, in_file_names=SPEAKERS, description="who speaks"),
        "backdrop": Backdrop(of="sound", seconds=1.5),
    }
    targets = ("label", "voice", "backdrop")
    split_by = "voice"
    keeps_level = False
    frame_seconds, hop_seconds = 0.064, 0.04
    floor = -45.0
    HParams = KeywordSpottingHParams
    small = {
        **sounds.SoundClassifierTask.small,
        "filters": 8,
        "shift": 0.0,
        "warp": 0.0,
        "tilt": 0.0,
        "noise": 0.0,
        "band_mask": 0,
        "time_mask": 0,
    }

    def preprocess(self, inputs: Features) -> Features:
        """Beside those of the base, `backdrop` string `[batch]`: the spectrogram of a stretch of noise; empty where
        there is none."""
        features = super().preprocess(inputs)
        given = optional.dense(inputs["backdrop"], tf.size(features["frames"]), absent="")
        return {**features, "backdrop": self._levels_of_noise(given)}

    def batch(self, features: Features, seed: Any) -> Features:
        """As the base does, without `backdrop`, with which training windows were mixed."""
        changed = super().batch(features, seed)
        return {name: value for name, value in changed.items() if name != "backdrop"}

    def _levels_of_noise(self, sounds_given: Any) -> Any:
        bands = self.scale.bands

        def heard(content: Any) -> Any:
            is_there = tf.strings.length(content) > 0
            return tf.cond(is_there, lambda: self.spectrogram(content)[1], lambda: tf.zeros([0, bands]))

        spectrogram = tf.RaggedTensorSpec([None, bands], tf.float32, ragged_rank=0)
        return audio.to_levels(tf.map_fn(heard, sounds_given, fn_output_signature=spectrogram), self.floor)

    def drawn_window(self, features: Features, seed: Any) -> Any:
        """The loudest, moved a little."""
        most = round(self.hparams.shift / self.scale.seconds)
        moved = tf.random.stateless_uniform(tf.shape(features["loudest"]), seed, -most, most + 1, tf.int64)
        return features["loudest"] + moved

    def augmented(self, decibels: Any, features: Features, seed: Any) -> Any:
        hparams = self.hparams
        changing, mixing, masking = tf.unstack(tf.random.split(seed, 3))
        x = (decibels - CENTRE) / SPREAD
        x = audio.random_voice_and_room(x, changing, hparams.warp, hparams.tilt, hparams.noise)
        x = self._with_backdrop(x * SPREAD + CENTRE, features["backdrop"], mixing)
        x = self.masked((x - CENTRE) / SPREAD, hparams.band_mask, hparams.time_mask, masking)
        return x * SPREAD + CENTRE

    def _with_backdrop(self, decibels: Any, backdrops: Any, seed: Any) -> Any:
        """The powers of another sound's noise added, 0 to 30 decibels below the word; nothing where there is none."""
        noise = self._cut(tf.roll(backdrops, 1, axis=0), tf.zeros_like(tf.strings.length(backdrops), tf.int64))
        below = tf.random.stateless_uniform([tf.shape(decibels)[0], 1, 1], seed, 0.0, 30.0)
        there = tf.strings.length(tf.roll(backdrops, 1, axis=0)) > 0
        return tf.where(there[:, tf.newaxis, tf.newaxis], audio.added(decibels, noise - below), decibels)

    def network_input(self, decibels: Any) -> Any:
        return audio.mfcc(decibels, min(self.hparams.coefficients, self.hparams.bands))

    def network(self, window: Any) -> Any:
        from trainer.networks.keyword_cnn import keyword_cnn

        return keyword_cnn(window, self.hparams.filters)

    def overall(self, model: Any, over_time: Any, features: Features) -> Any:
        """Those of the loudest window."""
        return tf.nn.softmax(tf.cast(model({"window": features["window"]}, training=False), tf.float32))

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """Those of the base; `answer` string `[batch]`, the word or `unknown`; `answer_index` int64 `[batch]`, its
        class, -1 where that is none; `threshold` float32 `[batch]`."""
        answered = super().predict(model, features, spec)
        classes = list(spec.vocabularies["label"])
        unknown = next((classes.index(name) for name in UNKNOWN_CLASSES if name in classes), -1)
        best = tf.argmax(answered["probabilities"], axis=-1)
        threshold = self._threshold(model, spec)
        index = tf.where(tf.reduce_max(answered["probabilities"], axis=-1) >= threshold, best, unknown)
        is_unknown = index == unknown
        return {
            **answered,
            "answer": tf.where(is_unknown, UNKNOWN, answered["label"]),
            "answer_index": index,
            "threshold": tf.fill(tf.shape(index), threshold),
        }

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        """In place of the model's own threshold; `answer` is `unknown` below it."""
        found = super().at_threshold(prediction, threshold)
        label, classes = as_text(found["label"]), [as_text(name) for name in prediction["labels"]]
        is_word = label in classes and label not in UNKNOWN_CLASSES
        unknown = next((classes.index(name) for name in UNKNOWN_CLASSES if name in classes), -1)
        index = classes.index(label) if is_word else unknown
        return {**found, "answer": label.encode() if is_word else UNKNOWN.encode(), "answer_index": index}

    def _threshold(self, model: Any, spec: DataSpec) -> float:
        """The probability below which REFUSED of the right answers stay, of the train examples that were held out; 0
        where none is right. They are read batch by batch: sounds may be long."""
        sure_and_right: list[float] = []
        with tf.init_scope():  # once, while the graph of the answers is made
            for batch in spec.held_out():
                probabilities = tf.nn.softmax(tf.cast(model({"window": tf.constant(batch["window"])}), tf.float32))
                best = tf.argmax(probabilities, axis=1).numpy() == batch["label"]
                sure_and_right += tf.reduce_max(probabilities, axis=1).numpy()[best].tolist()
        return float(np.quantile(sure_and_right, REFUSED)) if sure_and_right else 0.0

    def metrics(self) -> Evaluation:
        usual = classification.evaluation(accuracy_bound=None, slices=("label", "voice"))
        module = "trainer.metrics.identification"
        own = Metric("accuracy_with_unknown", "Decisions", module, prediction="answer_index")
        return dataclasses.replace(usual, metrics=(usual.metrics[0], own, *usual.metrics[1:]))

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        return {"accuracy": float((probabilities.argmax(axis=1) == labels).mean())}
