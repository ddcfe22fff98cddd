"""Speech emotion (question 28): in which mood is somebody speaking?

Method: log-mel spectrograms (40 bands up to 8 kHz, a frame of 32 ms each 16 ms) through convolutions over time and
frequency and a bidirectional GRU (`trainer.networks.crnn`, after Choi et al. 2017). How loud a sound is, is kept: it
tells of the mood. Sounds `[]` of any rate and length, WAV in the graph -> class probabilities `[classes]` float32, for
each window of three seconds and overall, their mean. While it trains, windows are given other speakers, rooms and
noise, and made up to `gain` decibels louder or softer. Where nothing is heard, the `answer` is silence, in no mood.

`voice` may say who speaks: it is scored apart, and of an unsplit folder no voice is on both sides. RAVDESS and EmoDB
have emotion and voice in the names of their files.

Default data: `acted_emotions`, sentences in five moods by synthetic voices, **acted by rule**: six voices and all
sentences of evaluation are held out. Reference: prosody (pitch, its range, voicing, pace, loudness), logistic
regression.
Measured scores and seconds: `docs/results.md`. Command: `benison run speech_emotion`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Audio, CodedNames, Identifier, Label
from trainer.backend import tf
from trainer.families import classification, sounds
from trainer.features import audio
from trainer.task import DataSpec, Evaluation, Features, Gate, Metric

POOLS = ((2, 2), (2, 2), (2, 4))
"""Frames and bands that are made one after each convolution."""

QUIETEST = -45.0
"""Decibels of a window's loudest frame, all bands together, below which nobody speaks: 70 below the loudest tone."""

CENTRE, SPREAD = -39.0, 21.0
"""Decibels: mean and deviation of spectrograms of speech, to which augmentation's strengths are relative."""

_RAVDESS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
RAVDESS = CodedNames(
    r"\d\d-\d\d-(\d\d)-\d\d-\d\d-\d\d-\d\d",
    {f"{number:02}": mood for number, mood in enumerate(_RAVDESS, 1)},
    "03-01-06-01-02-01-12",
)
"""Livingstone & Russo (2018): the third number is the emotion, the last the actor."""

EMODB = CodedNames(
    r"\d\d[a-z]\d\d([WLEAFTN])[a-z]?",
    dict(zip("WLEAFTN", ("angry", "bored", "disgusted", "fearful", "happy", "sad", "neutral"), strict=True)),
    "03a01Fa",
)
"""Burkhardt et al. (2005): the letter is the German word's first, two digits before all the speaker."""

SPEAKERS = (r"\d\d-\d\d-\d\d-\d\d-\d\d-\d\d-(\d\d)", r"(\d\d)[a-z]\d\d[WLEAFTN][a-z]?")


@dataclass(frozen=True)
class SpeechEmotionHParams(sounds.SoundHParams):
    epochs: int = field(default=30, metadata={"min": 1})
    min_steps: int = field(default=1200, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    bands: int = field(default=40, metadata={"min": 8, "max": 256})
    filters: int = field(default=16, metadata={"min": 1})
    """Of the first convolution; the last has four times as many."""
    units: int = field(default=48, metadata={"min": 1})
    """Of the GRU in each direction."""
    gain: float = field(default=3.0, metadata={"min": 0.0, "max": 60.0})
    """Decibels by which training windows are made louder or softer at most: other microphones, further away."""
    warp: float = field(default=0.1, metadata={"min": 0.0, "max": 0.5})
    tilt: float = field(default=0.15, metadata={"min": 0.0})
    noise: float = field(default=0.5, metadata={"min": 0.0})
    """See `audio.random_voice_and_room`."""


class SpeechEmotion(sounds.SoundClassifierTask):
    title = "Speech emotion"
    questions = (28,)
    data = "acted_emotions"
    columns = {
        "sound": Audio(max_seconds=sounds.LONGEST_SECONDS, description="speech of one person"),
        "label": Label(description="the mood", in_file_names=(RAVDESS, EMODB)),
        "voice": Identifier(optional=True, in_file_names=SPEAKERS, description="who speaks"),
    }
    targets = ("label", "voice")
    split_by = "voice"
    frame_seconds, hop_seconds = 0.032, 0.016
    floor = -100.0
    summary_size = 9
    reference_name = "prosody + logistic regression"
    HParams = SpeechEmotionHParams
    small = {
        **sounds.SoundClassifierTask.small,
        "bands": 20,
        "filters": 8,
        "units": 8,
        "window_seconds": 1.0,
        "gain": 0.0,
        "warp": 0.0,
        "tilt": 0.0,
        "noise": 0.0,
    }

    def summary(self, samples: Any, decibels: Any) -> Any:
        """Prosody, of 9 numbers: mean, deviation, and lowest and highest tenth of the logarithm of the pitch where
        there is one; share of frames that have one, and how often one begins in a second; mean, deviation and highest
        of the loudness in decibels."""
        hertz = audio.pitch(samples, self.scale.rate, self.scale.hop)
        voiced = hertz > 0
        found = tf.boolean_mask(hertz, voiced)
        found = tf.cond(tf.size(found) > 0, lambda: found, lambda: tf.constant([audio.LOWEST_PITCH]))
        pitches = tf.sort(tf.math.log(found))
        mean, variance = tf.nn.moments(pitches, axes=[0])
        tenth = tf.size(pitches) // 10
        begins = tf.cast(voiced[1:] & ~voiced[:-1], tf.float32)
        seconds = tf.cast(tf.size(hertz), tf.float32) * self.scale.seconds
        loudness = audio.added_up(decibels)
        loud_mean, loud_variance = tf.nn.moments(loudness, axes=[0])
        return tf.stack(
            [
                *(mean, tf.sqrt(variance), pitches[tenth], pitches[-1 - tenth]),
                *(tf.reduce_mean(tf.cast(voiced, tf.float32)), tf.reduce_sum(begins) / seconds),
                *(loud_mean, tf.sqrt(loud_variance), tf.reduce_max(loudness)),
            ]
        )

    def augmented(self, decibels: Any, features: Features, seed: Any) -> Any:
        hparams = self.hparams
        changing, raising = tf.unstack(tf.random.split(seed))
        x = audio.random_voice_and_room(
            (decibels - CENTRE) / SPREAD, changing, hparams.warp, hparams.tilt, hparams.noise
        )
        gain = tf.random.stateless_uniform([tf.shape(x)[0], 1, 1], raising, -hparams.gain, hparams.gain)
        return x * SPREAD + CENTRE + gain

    def is_silent(self, decibels: Any) -> Any:
        return tf.reduce_max(audio.added_up(decibels), axis=1) < QUIETEST

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """Those of the base, and `answer` string `[batch]`: the mood, or silence where nothing is heard anywhere."""
        answered = super().predict(model, features, spec)
        is_speech = (answered["heard"] != "") & (answered["heard"] != sounds.SILENCE)
        answer = tf.where(tf.reduce_any(is_speech, axis=1), answered["label"], sounds.SILENCE)
        return {**answered, "answer": answer}

    def network(self, window: Any) -> Any:
        from trainer.networks.crnn import crnn

        return crnn(window, self.hparams.filters, self.hparams.units, POOLS, self.hparams.dropout)

    def metrics(self) -> Evaluation:
        usual = classification.evaluation(accuracy_bound=None, slices=("label", "voice"))
        own = Metric("unweighted_average_recall", "UnweightedAverageRecall", "trainer.metrics.classification")
        gate = Gate("unweighted_average_recall", baseline_margin=0.01)
        return dataclasses.replace(usual, metrics=(own, *usual.metrics), gates=(gate,))

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from trainer.metrics.classification import UnweightedAverageRecall

        return UnweightedAverageRecall.scores(labels, probabilities)
