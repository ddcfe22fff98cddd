"""Speech recognition (question 23): what is said in a recording?

Method: log-mel spectrograms (40 bands, a frame each 15 ms) through two convolutions over time and frequency, one over
time and a bidirectional GRU (Cho et al. 2014): a small Deep Speech 2 (Amodei et al. 2016). It is trained by the CTC
loss (Graves et al. 2006), which needs to know what is said but not when, and decoded by prefix beam search. Words of
the train split's transcripts are preferred: beside what is heard freely stands the best path through the tree of these
words (`trainer.networks.lexicon`), and a word that is in none costs `unknown_word` nats. While it trains, spectrograms
are given other speakers, rooms and noise, and masked as in SpecAugment (Park et al. 2019).
Sounds `[]` of any rate, WAV in the graph -> `transcript` string, `confidence`, `seconds` heard float32.

The alphabet is that of the train split's transcripts, lower-cased, in any script; it may use any punctuation. Sounds
are cut to the longest of the train split (or `max_seconds`). `voice` may say who speaks: it is scored apart, and
of an unsplit folder no voice is on both sides.

Default data: 6,787 phrases of one to four words by 33 synthetic voices and four people, and 573 to evaluate: by four of
these voices, by two others, and by two people who are heard nowhere in training, of whom each word stands alone
(`spoken_phrases`, which says more). The reference finds the nearest phrase of the train split by dynamic time warping.
Measured scores and seconds: `docs/results.md`. Command: `benison run speech_recognition`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from data.columns import Audio, Identifier, Text, Value
from data.errors import WrongUse
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import audio, optional
from trainer.optimisers import optimizer
from trainer.preview import Preview, Sound, Words, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

HOP_SECONDS = 0.015
MAX_CHARACTERS = 400
WARMUP_STEPS = 100
REFERENCE_POOLING = 4
"""Frames that the reference averages: warping costs the square of the length."""


@dataclass(frozen=True)
class SpeechRecognitionHParams(HParams):
    min_steps: int = field(default=4000, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    sample_rate: int = field(default=8000, metadata={"min": 4000, "max": 48000})
    """Hz to which sounds are brought. 8,000 is a telephone's; 16,000 keeps more of wide-band recordings."""
    bands: int = field(default=40, metadata={"min": 8, "max": 256})
    max_seconds: float = field(default=0.0, metadata={"min": 0.0, "max": 60.0})
    """Longer sounds are cut; 0 cuts to the longest of the train split."""
    filters: int = field(default=16, metadata={"min": 1})
    units: int = field(default=128, metadata={"min": 1})
    layers: int = field(default=1, metadata={"min": 1, "max": 8})
    dropout: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})
    beam_width: int = field(default=16, metadata={"min": 1, "max": 1024})
    """Hypotheses that decoding keeps; 1 decodes greedily."""
    unknown_word: float = field(default=8.0, metadata={"min": 0.0})
    """Nats that a word costs which no transcript of the train split has; 0 writes what is heard, known or not."""
    warp: float = field(default=0.15, metadata={"min": 0.0, "max": 0.5})
    tilt: float = field(default=0.5, metadata={"min": 0.0})
    noise: float = field(default=2.2, metadata={"min": 0.0})
    """See `audio.random_voice_and_room`."""
    band_mask: int = field(default=7, metadata={"min": 0})
    time_mask: int = field(default=8, metadata={"min": 0})
    """Widest masks of SpecAugment, in bands (twice) and in frames (once)."""


class SpeechRecognition(Task):
    title = "Speech recognition"
    questions = (23,)
    modality = "audio"
    data = "spoken_phrases"
    columns = {
        "sound": Audio(max_seconds=30.0),
        "text": Text(max_characters=MAX_CHARACTERS, description="what is said"),
        "voice": Identifier(optional=True, description="who speaks"),
    }
    targets = ("text", "voice")
    split_by = "voice"
    sequences = {"log_mel": "frames", "text": "characters"}
    reference_examples = 2000
    answered_examples = 256  # the beam search of each takes long
    HParams = SpeechRecognitionHParams
    small = {
        **Task.small,
        "min_steps": 300,
        "learning_rate": 0.01,
        "bands": 20,
        "units": 64,
        "beam_width": 1,
        "warp": 0.0,
        "tilt": 0.0,
        "noise": 0.0,
        "band_mask": 0,
        "time_mask": 0,
    }

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        """CTC writes at most one character a step, and needs one more between two that are equal."""
        text = " ".join(as_text(features["text"]).lower().split())
        needed = len(text) + sum(one == other for one, other in pairwise(text))
        seconds = cast(float, features["sound_seconds"])
        frames = math.ceil(seconds / HOP_SECONDS)
        steps = math.ceil(frames / audio.SUBSAMPLING)
        if needed <= steps:
            return ""
        return f"{len(text)} characters cannot be said in {seconds:.2f} seconds"

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `log_mel` uint8 `[batch, longest, bands, 1]` and `frames` int64 `[batch]`; `text` int64
          `[batch, MAX_CHARACTERS]`, indices of characters padded with -1, and `characters` int64 `[batch]`; `voice`
          int64 `[batch]`, a hash, of which nothing is learnt.
        """
        from trainer.networks import ctc

        hparams = self.hparams
        log_mel, frames = audio.standardised_log_mels(
            inputs["sound"], hparams.sample_rate, hparams.bands, HOP_SECONDS, hparams.max_seconds
        )
        symbols = ctc.index_characters(inputs["text"], "characters")
        ctc.index_words(inputs["text"], "words")
        return {
            "log_mel": log_mel,
            "frames": frames,
            "text": symbols.to_tensor(-1, shape=[None, MAX_CHARACTERS]),
            "characters": symbols.row_lengths(),
            "voice": tf.strings.to_hash_bucket_fast(optional.dense(inputs["voice"], tf.size(frames), absent=""), 2**31),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None:
            return features
        hparams = self.hparams
        seeds = tf.unstack(tf.random.split(seed))
        x = audio.dequantise(features["log_mel"][..., 0])
        x = audio.random_voice_and_room(x, seeds[0], hparams.warp, hparams.tilt, hparams.noise)
        x = audio.spec_augment(x, features["frames"], seeds[1], 2, hparams.band_mask, hparams.time_mask)
        return {**features, "log_mel": audio.quantise(x)[..., tf.newaxis]}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import ctc

        hparams = self.hparams
        if hparams.xla:
            raise WrongUse("XLA cannot compile the CTC loss", "leave out --set xla=true")
        model = ctc.Crnn(
            symbols=len(spec.vocabularies["characters"]),
            filters=hparams.filters,
            units=hparams.units,
            layers=hparams.layers,
            dropout=hparams.dropout,
            global_batch_size=hparams.global_batch_size,
        )
        silence = tf.zeros([1, *spec.features["log_mel"].shape], tf.uint8)
        model({"log_mel": silence, "frames": tf.ones([1], tf.int64)})  # makes the weights
        model.compile(optimizer(hparams, spec.steps, warmup=WARMUP_STEPS, clip=5.0))
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`transcript` string, `confidence` float32, the probability of just this transcript, and `seconds` float32,
        how much of the sound was heard: `[batch]` each."""
        from trainer.networks import ctc
        from trainer.networks.lexicon import Lexicon

        characters, hparams, frames = spec.vocabularies["characters"], self.hparams, features["frames"]
        lexicon = Lexicon(spec.vocabularies["words"], characters) if hparams.unknown_word else None
        heard = {"log_mel": features["log_mel"][:, : tf.reduce_max(frames)], "frames": frames}
        outputs = model(heard, training=False)
        decoded = ctc.decode(
            outputs["logits"], outputs["steps"], characters, hparams.beam_width, lexicon, hparams.unknown_word
        )
        return decoded | {"seconds": tf.cast(frames, tf.float32) * HOP_SECONDS}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="transcript",
            label="text",
            raw_label=True,
            metrics=(
                Metric("wer", "WordErrorRate", module="trainer.metrics.speech"),
                Metric("cer", "CharacterErrorRate", module="trainer.metrics.speech"),
            ),
            gates=(Gate("wer", higher_is_better=False, baseline_margin=0.02),),
            slices=("voice",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """The transcript of the train split's sound that is nearest by dynamic time warping."""
        from trainer.metrics.speech import Errors
        from trainer.references import dtw

        templates, queries = _pooled(train), _pooled(evaluation)
        known, truths = (_texts(arrays["text"], spec.vocabularies["characters"]) for arrays in (train, evaluation))
        errors = {"wer": Errors(), "cer": Errors()}
        for query, length, truth in zip(*queries, truths, strict=True):
            guess = known[dtw.nearest(query[:length], *templates)]
            errors["wer"] += Errors.of(truth, guess, "word")
            errors["cer"] += Errors.of(truth, guess, "character")
        return {"nearest by dynamic time warping": {name: error.rate for name, error in errors.items()}}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        from trainer.metrics.speech import Errors

        said, sure = example.get("text"), float(prediction["confidence"])
        heard = as_text(prediction["transcript"])
        if said is None:
            return Assessment(heard, confidence=sure)
        errors = Errors.of(as_text(said), heard, "word")
        rate = errors.edits / max(errors.length, 1)
        return Assessment(heard, as_text(said), errors.edits == 0, sure, rate, "word errors of each word said")

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        sound = Sound.of_file(example["sound"], "sound")
        guess, truth = as_text(prediction["transcript"]), example.get("text")
        caption = f"transcript, confidence {float(prediction['confidence']):.0%}"
        if sound.seconds > float(prediction["seconds"]) + HOP_SECONDS:
            caption += f", of the first {float(prediction['seconds']):.1f} seconds"
        parts = (sound, Words(guess, caption=caption, compared=True, any_case=True))
        if truth is None:
            return Preview(guess, None, {}, parts)
        said = as_text(truth)
        voice = {"voice": as_text(example["voice"])} if example.get("voice") else {}
        correct = self.assess(example, prediction).correct
        return Preview(
            f"{said} → {guess}", correct, voice, (*parts, Words(said, caption="said", compared=True, any_case=True))
        )

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        right = [
            self.assess(example, prediction).correct is True
            for example, prediction in zip(examples, predictions, strict=True)
        ]
        likeness = plots.texts(examples, predictions, truth="text", answer="transcript")
        return [*likeness, *plots.confidence(predictions, right)]


def _pooled(arrays: Arrays) -> tuple[Any, Any]:
    """Spectrograms averaged over runs of frames: float32 `[examples, longest, bands]`, and the lengths."""
    import numpy as np

    mels = (arrays["log_mel"][..., 0].astype(np.float32) - audio.PADDING) / audio.STEPS_PER_DEVIATION
    mels = mels[:, : mels.shape[1] // REFERENCE_POOLING * REFERENCE_POOLING]
    pooled = mels.reshape(len(mels), -1, REFERENCE_POOLING, mels.shape[-1]).mean(axis=2)
    return pooled, np.clip(arrays["frames"] // REFERENCE_POOLING, 1, pooled.shape[1])


def _texts(symbols: Any, vocabulary: Any) -> list[str]:
    """The transcripts that `preprocess` made numbers of."""
    from trainer.features.texts import SPACE

    return ["".join(vocabulary[s] for s in row if s >= 0).replace(SPACE, " ") for row in symbols]
