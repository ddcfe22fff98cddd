"""Speech synthesis (question 14): a text, spoken by a voice that is learnt from recordings.

Method: a small FastSpeech (Ren et al. 2019, `trainer.networks.synthesiser`) makes a log-mel spectrogram (80 bands, a
frame each 12.5 ms) of the characters of a text, and Griffin & Lim's algorithm (1984) the sound. How long each character
lasts is learnt from an alignment that needs nothing but recordings and texts (`trainer.networks.alignment`). The level
of the recordings is kept, and what lies more than 80 dB below their loudest band is silence.

`text` in any script, `rate` and `pitch`, times the voice's own -> `wav`, `seconds` float32, and a `remark` that names
the characters which training never heard, since these are not spoken. Numbers, years, amounts of money and, in
English, abbreviations are written out first (`trainer.features.spoken_texts`), by the rules of `--set language`. The
pitch is changed by resampling, which moves the whole spectrum: 0.8 sounds like a larger person, 1.25 like a smaller
one.

Judged by mel-cepstral distortion in decibels (13 coefficients, after dynamic time warping: Kubichek 1993) of what the
model says by itself, and by the mean absolute error of the durations of characters, in milliseconds, by the alignment
of the recording. With `--set recogniser=FOLDER`, the folder of a version of `speech_recognition`, also by its word
error rate on phrases of numbers and commands that the model speaks (`wer`); without, there is no such metric.

Reference: each character by its mean spectrum, for as long as it lasts on average.

Own data: LJ Speech's form, `metadata.csv` with bars and `wavs/`, whose third field is spoken if there is one; or a
table with `file_name` and `text`. One voice: of several it learns the mean.

Default data: 1,200 sentences and phrases that one synthetic voice says, and 150 others to evaluate
(`spoken_sentences`). Measured scores and seconds: `docs/results.md`. Command: `benison run speech_synthesis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Audio, Given, Number, Text, Value
from data.errors import WrongUse
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import audio, griffin_lim, spoken_texts
from trainer.optimisers import optimizer
from trainer.preview import Part, Preview, Sound, Words, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

WINDOW_SECONDS, HOP_SECONDS = 0.05, 0.0125
RANGE = 80.0
"""Decibels between the loudest band of the train split and silence."""
MAX_CHARACTERS = 1_000
MAX_SYMBOLS = 1_500
"""Characters of a text that is written out."""
ALIGNED = 300
"""Recordings, spread over the train split, by which the Gaussian of each character is found."""
COEFFICIENTS = 13
"""Of the distortion."""
WARMUP_STEPS = 100


@dataclass(frozen=True)
class SpeechSynthesisHParams(HParams):
    epochs: int = field(default=16, metadata={"min": 1})
    min_steps: int = field(default=1200, metadata={"min": 1})
    global_batch_size: int = field(default=16, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    sample_rate: int = field(default=16000, metadata={"min": 4000, "max": 48000})
    """Hz to which recordings are brought, and of what is spoken; a multiple of 25."""
    bands: int = field(default=80, metadata={"min": 24, "max": 256})
    width: int = field(default=128, metadata={"min": 2})
    """Channels of each layer."""
    layers: int = field(default=3, metadata={"min": 1, "max": 16})
    """Of the encoder; the decoder has twice as many."""
    kernel: int = field(default=5, metadata={"min": 1, "max": 31})
    """Characters, or frames, that a convolution sees."""
    dropout: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})
    language: str = "en"
    """By whose rules numbers are written out, as num2words calls it: en, fr, ru, es_CO ..."""
    recogniser: str = ""
    """The folder of a pushed version of speech_recognition, which hears what is spoken."""


class SpeechSynthesis(Task):
    title = "Speech synthesis"
    questions = (14,)
    modality = "audio"
    data = "spoken_sentences"
    columns = {
        "sound": Audio(max_seconds=30.0, description="a recording of the voice"),
        "text": Text(max_characters=MAX_CHARACTERS, description="what is said"),
        "rate": Given(kind=Number(minimum=0.25, maximum=4.0), default=1.0),
        "pitch": Given(kind=Number(minimum=0.5, maximum=2.0), default=1.0),
    }
    targets = ("sound",)
    answered_examples = 256  # speaking takes long
    sequences = {"sound": "frames", "text": "characters"}
    predict_batch_size = 8
    reference_examples = 2000
    HParams = SpeechSynthesisHParams
    small = {**Task.small, "min_steps": 100, "learning_rate": 0.01, "bands": 24, "width": 32, "layers": 1}

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        """Each character lasts for a frame at least, and so do the silences around them."""
        text, seconds = as_text(features["text"]), float(features["sound_seconds"])  # type: ignore[arg-type]
        if len(text) + 2 <= seconds / HOP_SECONDS:
            return ""
        return f"{len(text)} characters cannot be said in {seconds:.2f} seconds"

    @property
    def scale(self) -> audio.MelScale:
        rate = self.hparams.sample_rate
        if rate % audio.RATE_GRID:
            raise WrongUse(f"sample_rate is {rate}", f"give a multiple of {audio.RATE_GRID}")
        return audio.MelScale(rate, self.hparams.bands, round(WINDOW_SECONDS * rate), round(HOP_SECONDS * rate))

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `sound` uint8 `[batch, longest, bands, 1]`, of `audio.levels_of` from `floor` float32 `[batch]` up, and
          `frames` int64 `[batch]`: cut to the longest of the train split; `text` int64 `[batch, MAX_SYMBOLS]`, indices
          of characters padded with -1, and `characters` int64 `[batch]`; `remark` string `[batch]`, what of the text is
          not spoken; `rate` and `pitch` float32 `[batch]`.
        """
        text, characters, remark = spoken_texts.index_spoken(
            inputs["text"], self.hparams.language, "characters", MAX_SYMBOLS
        )
        sound, frames, floor = audio.levels_below_loudest(inputs["sound"], self.scale, RANGE)
        return {
            "sound": sound,
            "frames": frames,
            "floor": floor,
            "text": text,
            "characters": characters,
            "remark": remark,
            "rate": inputs["rate"],
            "pitch": inputs["pitch"],
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.synthesiser import Synthesiser

        hparams = self.hparams
        if hparams.xla:
            raise WrongUse("XLA cannot compile what lasts as long as its text", "leave out --set xla=true")
        train = spec.train(limit=ALIGNED)
        model = Synthesiser(
            _speaker(train, spec),
            width=hparams.width,
            layers=hparams.layers,
            size=hparams.kernel,
            dropout=hparams.dropout,
            floor=float(train["floor"][0]),
        )
        model({"text": tf.zeros([1, 2], tf.int64)})  # makes the weights
        model.compile(optimizer(hparams, spec.steps, warmup=WARMUP_STEPS, clip=1.0))
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`wav_bytes` string, `seconds` float32, `remark` string: `[batch]` each; `lasting` float32 `[batch, places]`,
        the seconds of each character and of the silences before the first and behind the last, 0 for padding. In
        evaluation also `recorded_lasting`, those of the recording, and `cepstra` and `recorded_cepstra` float32
        `[batch, frames, COEFFICIENTS]`, behind the last of which stands not-a-number."""
        text = features["text"][:, : tf.reduce_max(features["characters"])]
        # Resampled to another pitch a sound is shorter or longer, too.
        decibels, frames, lasting = model.speak(text, features["rate"] / features["pitch"])
        sounds = griffin_lim.sounds(decibels, self.scale)
        answer = {
            "wav_bytes": self._wav(sounds, frames, features["pitch"]),
            "seconds": tf.cast(frames, tf.float32) * self.scale.seconds / features["pitch"],
            "remark": features["remark"],
            "lasting": tf.cast(lasting, tf.float32) * self.scale.seconds / features["pitch"][:, None],
        }
        if "sound" in features:  # in evaluation
            recorded = model.heard(features["sound"][:, : tf.reduce_max(features["frames"])])
            recorded_lasting = model.aligned(text, recorded, features["frames"])
            answer |= {
                "recorded_lasting": tf.cast(recorded_lasting, tf.float32) * self.scale.seconds,
                "cepstra": _compared(decibels, frames),
                "recorded_cepstra": _compared(recorded, features["frames"]),
            }
        return answer

    def _wav(self, sounds: Any, frames: Any, pitch: Any) -> Any:
        """WAV files, string `[batch]`, of sounds float32 `[batch, samples]`, each so many frames long."""
        rate, hop = self.scale.rate, self.scale.hop

        def one(row: Any) -> Any:
            samples, length, factor = row
            changed = audio.resample(samples[: length * hop], factor * rate, rate)
            return tf.audio.encode_wav(changed[:, None], rate)

        return tf.map_fn(one, (sounds, frames, pitch), fn_output_signature=tf.TensorSpec([], tf.string))

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.synthesis"
        heard = Metric(
            "wer",
            "word_errors",
            "trainer.metrics.intelligibility",
            {"recogniser": self.hparams.recogniser},
            runs_model=True,
            may_lack=True,
        )
        return Evaluation(
            prediction=("cepstra", "recorded_cepstra"),
            label=None,
            targets_seen=True,
            metrics=(
                Metric("mel_cepstral_distortion", "MelCepstralDistortion", module),
                Metric("duration_error", "DurationError", module, prediction=("lasting", "recorded_lasting")),
                heard,
            ),
            gates=(
                Gate("mel_cepstral_distortion", higher_is_better=False, baseline_margin=0.1),
                Gate("duration_error", higher_is_better=False, baseline_margin=2.0),
            ),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics.synthesis import DurationError, MelCepstralDistortion, score

        speaker = _speaker({name: values[:: -(-len(values) // ALIGNED)] for name, values in train.items()}, spec)
        texts = [text[text >= 0] for text in evaluation["text"]]
        said = [speaker.say(text) for text in texts]
        lengths = evaluation["frames"]
        recorded = [
            audio.decibels_of(sound[:length, :, 0], evaluation["floor"][0]).numpy()
            for sound, length in zip(evaluation["sound"], lengths, strict=True)
        ]
        lasting = [speaker.aligned(text, decibels) for text, decibels in zip(texts, recorded, strict=True)]
        seconds = self.scale.seconds
        examples = [
            {
                "cepstra": audio.envelope(tf.constant(made), COEFFICIENTS).numpy(),
                "recorded_cepstra": audio.envelope(tf.constant(heard), COEFFICIENTS).numpy(),
                "lasting": made_lasting * seconds,
                "recorded_lasting": heard_lasting * seconds,
            }
            for (made, made_lasting), heard, heard_lasting in zip(said, recorded, lasting, strict=True)
        ]
        scores = {
            "mel_cepstral_distortion": score(MelCepstralDistortion, examples),
            "duration_error": score(DurationError, examples),
        }
        return {"mean spectrum and duration of each character": scores}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        seconds, recorded = float(prediction["seconds"]), example.get("sound_seconds")
        if not recorded:
            return Assessment(f"{seconds:.2f} s")
        loss, name = abs(seconds - float(recorded)), "seconds longer or shorter than the recording"
        return Assessment(f"{seconds:.2f} s", f"{float(recorded):.2f} s", loss=loss, loss_name=name)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        text, remark = as_text(example["text"]), as_text(prediction["remark"])
        parts: list[Part] = []
        for caption, content in (("spoken", prediction["wav_bytes"]), ("recording", example.get("sound"))):
            if content:
                parts.append(Sound.of_file(content, caption))
        parts.append(Words(text, caption=remark or "text"))
        return Preview(text, correct=None, slice={}, parts=parts)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {name: answer[name] for name in ("seconds", "remark") if answer[name]}


def _compared(decibels: Any, frames: Any) -> Any:
    """Cepstra of the frames that count; behind them not-a-number."""
    there = tf.sequence_mask(frames, tf.shape(decibels)[1])[..., None]
    return tf.where(there, audio.envelope(decibels, COEFFICIENTS), np.nan)


def _speaker(train: Arrays, spec: DataSpec) -> Any:
    from trainer.networks.speaker import speaker_of

    decibels = audio.decibels_of(train["sound"][..., 0], train["floor"][0]).numpy()
    return speaker_of(decibels, train["frames"], train["text"], len(spec.vocabularies["characters"]))
