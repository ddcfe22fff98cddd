"""What classifiers of sounds share: windows of spectrograms, the reference, the answer over time and overall, what is
shown."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from data.columns import Audio, Column, Label
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import audio
from trainer.networks import outputs
from trainer.preview import Curve, Part, Preview, Sound, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Features, HParams, Task

LONGEST_SECONDS = 900.0
"""Of a sound that is read."""

OVERLAP = 0.5
"""Share of a window that the next one has, too, at least."""

CHUNK = 64
"""Windows that are answered at once: memory does not grow with the length of a sound."""

SILENCE = "silence"
"""What is heard in a window in which nothing is."""

SUMMARY_COEFFICIENTS = 13
"""Cepstral coefficients of which the reference gets the mean and the deviation."""

CURVES = 6
"""Classes of which the answer over time is drawn: those that are surest in some window."""


@dataclass(frozen=True)
class SoundHParams(HParams):
    sample_rate: int = field(default=16000, metadata={"min": 4000, "max": 48000})
    """Hz to which sounds are brought."""
    bands: int = field(default=64, metadata={"min": 8, "max": 256})
    """Of the mel scale."""
    window_seconds: float = field(default=3.0, metadata={"min": 0.1, "max": 60.0})
    """Of the sound that one answer is given to."""
    dropout: float = field(default=0.3, metadata={"min": 0.0, "max": 0.95})


class SoundClassifierTask(Task, classification.Classifier):
    """Base of the tasks that tell the class of a sound: keyword_spotting, speech_emotion, music_recognition.

    The network hears windows of equal length. In training a window is cut from each sound at random; a shorter sound
    lies anywhere in it, amid silence. Inference goes over the whole sound in windows that overlap by half or more:
    `over_time` says what is heard in each, and the answer is the mean of the probabilities of those in which anything
    is heard.

    A task says its frames (`frame_seconds`, `hop_seconds`), its `network`, and the metrics it is judged by (`metrics`
    and `scores`, of the same names). It may say what else the network is given of a window (`network_input`), how
    windows are changed in training (`augmented`) or drawn (`drawn_window`), which are silent (`is_silent`), how windows
    make one answer (`overall`), and what the reference knows of a sound (`summary`). `split_by` may name a column of
    its own, such as the voice. An `answer` that a task gives beside the label is shown where it is another.

    Attributes:
      frame_seconds, hop_seconds: length of a spectrogram's frames, and from one to the next.
      keeps_level: whether how loud a sound is may tell of its class.
      floor: decibels to which what is softer is brought.
      summary_size: how many numbers `summary` gives.
    """

    modality = "audio"
    columns: ClassVar[Mapping[str, Column]] = {
        "sound": Audio(max_seconds=LONGEST_SECONDS, description="a sound of any rate"),
        "label": Label(description="its class"),
    }
    targets: ClassVar[tuple[str, ...]] = ("label",)
    predict_batch_size = 16
    frame_seconds: ClassVar[float]
    hop_seconds: ClassVar[float]
    keeps_level: ClassVar[bool] = True
    floor: ClassVar[float] = -80.0
    summary_size: ClassVar[int] = 2 * SUMMARY_COEFFICIENTS
    reference_name: ClassVar[str] = "statistics of MFCC + logistic regression"
    small: ClassVar[Mapping[str, bool | int | float | str]] = {**Task.small, "min_steps": 100, "dropout": 0.0}

    @abstractmethod
    def network(self, window: Any) -> Any:
        """Of a Keras tensor, float32 `[batch, frames, numbers]` as `network_input` gives it, the vector
        `[batch, units]` by which classes are told apart."""

    @abstractmethod
    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        """Metrics of answers in memory: int64 `[examples]`, float `[examples, classes]`."""

    @property
    def scale(self) -> audio.MelScale:
        """Of the spectrograms."""
        rate = self.hparams.sample_rate
        return audio.MelScale(
            rate, self.hparams.bands, round(self.frame_seconds * rate), round(self.hop_seconds * rate)
        )

    @property
    def window_frames(self) -> int:
        return max(1, round(self.hparams.window_seconds / self.scale.seconds))

    def spectrogram(self, content: Any) -> tuple[Any, Any]:
        """Of a WAV file, string `[]`: samples float32 `[n]` at `scale.rate` Hz, and their log-mel spectrogram, float32
        `[frames, bands]` in decibels, at least `floor`."""
        samples = audio.decode_wav(content, self.scale.rate)
        decibels = audio.mel_decibels(samples, self.scale, keeps_level=self.keeps_level)
        return samples, tf.maximum(decibels, self.floor)

    def masked(self, windows: Any, band_mask: int, time_mask: int, seed: Any) -> Any:
        """Windows float32 `[batch, frames, bands]`, brought to mean 0, with a mask of bands and one of frames, at most
        so wide (SpecAugment)."""
        frames = tf.fill([tf.shape(windows)[0]], tf.constant(self.window_frames, tf.int64))
        return audio.spec_augment(windows, frames, seed, 1, band_mask, time_mask)

    # --- what a task may say otherwise ---

    def summary(self, samples: Any, decibels: Any) -> Any:
        """What the reference knows of a whole sound, float32 `[summary_size]`: mean and deviation of its MFCC.

        Args:
          samples: float32 `[n]` at `scale.rate` Hz.
          decibels: float32 `[frames, bands]`.
        """
        coefficients = audio.mfcc(decibels, SUMMARY_COEFFICIENTS)
        mean, variance = tf.nn.moments(coefficients, axes=[0])
        return tf.concat([mean, tf.sqrt(variance)], axis=0)

    def network_input(self, decibels: Any) -> Any:
        """What the network is given of windows, float32 `[batch, frames, bands]` in decibels."""
        return decibels

    def augmented(self, decibels: Any, features: Features, seed: Any) -> Any:
        """Windows in training, float32 `[batch, frames, bands]`; `features` are those of `preprocess`. What is below
        `floor` is brought to it afterwards."""
        return decibels

    def drawn_window(self, features: Features, seed: Any) -> Any:
        """The first frame of each window in training, int64 `[batch]`; `features` are those of `preprocess`."""
        spare = features["frames"] - self.window_frames
        share = tf.random.stateless_uniform(tf.shape(spare), seed)
        low, high = tf.minimum(spare, 0), tf.maximum(spare, 0)
        return low + tf.cast(share * tf.cast(high - low + 1, tf.float32), tf.int64)

    def is_silent(self, decibels: Any) -> Any:
        """Of windows float32 `[batch, frames, bands]` in decibels, whether nothing is heard in them, bool `[batch]`:
        `heard` has SILENCE there, and they say nothing about the whole, unless all of it is silent."""
        return tf.zeros([tf.shape(decibels)[0]], tf.bool)

    def overall(self, model: Any, over_time: Any, features: Features) -> Any:
        """The probabilities of whole sounds, float32 `[batch, classes]`.

        Args:
          over_time: of each of their windows, float32 RaggedTensor `[batch, None, classes]`.
          features: those of `batch`.
        """
        return tf.reduce_mean(over_time, axis=1)

    # --- the contract ---

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `levels` string `[batch]`, the log-mel spectrogram of the whole sound as `audio.to_levels` keeps it, `frames`
          int64 `[batch]`, its length, and `loudest` int64 `[batch]`, the first frame of its loudest window; `summary`
          float32 `[batch, summary_size]`, for the reference; `label` int64, -1 for a class that the train split lacks.
        """

        def heard(content: Any) -> tuple[Any, Any, Any]:
            samples, decibels = self.spectrogram(content)
            return decibels, self.summary(samples, decibels), audio.loudest_window(decibels, self.window_frames)

        spectrogram = tf.RaggedTensorSpec([None, self.scale.bands], tf.float32, ragged_rank=0)
        signature = (spectrogram, tf.TensorSpec([self.summary_size], tf.float32), tf.TensorSpec([], tf.int64))
        decibels, summary, loudest = tf.map_fn(
            heard,
            inputs["sound"],
            fn_output_signature=signature,
            parallel_iterations=2,  # of long ones each takes much memory
        )
        return {
            "levels": audio.to_levels(decibels, self.floor),
            "frames": decibels.row_lengths(),
            "loudest": loudest,
            "summary": summary,
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        """Adds `window` float32 `[batch, frames, numbers]`: in training one drawn at random, else the loudest.

        Training has no use for the rest of the sound.
        """
        if seed is None:
            return {**features, "window": self.network_input(self._cut(features["levels"], features["loudest"]))}
        drawing, changing = tf.unstack(tf.random.split(seed))
        decibels = self._cut(features["levels"], self.drawn_window(features, drawing))
        changed = tf.maximum(self.augmented(decibels, features, changing), self.floor)
        return {"window": self.network_input(changed), "label": features["label"]}

    def _cut(self, levels: Any, first: Any) -> Any:
        return audio.cut(levels, first, self.window_frames, self.scale.bands, self.floor)

    def build_model(self, spec: DataSpec) -> Any:
        layers = tf.keras.layers
        window = tf.keras.Input(spec.features["window"].shape, name="window")
        x = layers.Dropout(self.hparams.dropout)(self.network(window))
        logits = layers.Dense(len(spec.vocabularies["label"]), dtype="float32")(x)
        model = outputs.model_of({"window": window}, logits, target="label")
        return classification.compile_classifier(model, self.hparams, spec)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """Those of `classification.class_probabilities` for the whole sound; `over_time` float32
        `[batch, windows, classes]`, the probabilities of each window, in the order of `labels`, and `heard` string
        `[batch, windows]`, its most probable class, or SILENCE; `heard_from` float32 `[batch, windows]`, in seconds
        where it begins, below 0 where the sound is shorter; `windows` int64 `[batch]`, how many there are. What is
        padded has an empty name."""
        classes = spec.vocabularies["label"]
        first = self._windows(features["frames"])
        found = self._answered(model, features["levels"], first.value_rowids(), first.flat_values, len(classes))
        found, silent = found[:, :-1], found[:, -1] > 0
        over_time = first.with_flat_values(found)
        best = tf.gather(tf.constant(list(classes)), tf.argmax(found, axis=-1))
        names = first.with_flat_values(tf.where(silent, SILENCE, best))
        seconds = first.with_flat_values(tf.cast(first.flat_values, tf.float32) * self.scale.seconds)
        sounding = first.with_flat_values(~silent)
        all_silent = tf.gather(~tf.reduce_any(sounding, axis=1), first.value_rowids())
        told = tf.ragged.boolean_mask(over_time, sounding.with_flat_values(~silent | all_silent))
        whole = self.overall(model, told, features)
        return {
            **classification.class_probabilities(tf.math.log(tf.maximum(whole, 1e-9)), classes),
            "over_time": over_time.to_tensor(0.0),
            "heard": names.to_tensor(""),
            "heard_from": seconds.to_tensor(0.0),
            "windows": first.row_lengths(),
        }

    def _windows(self, frames: Any) -> Any:
        """Evenly over each sound, the first frame of each of its windows: int64 RaggedTensor `[batch, None]`."""
        size = self.window_frames
        spare = tf.maximum(frames - size, 0)
        hop = max(1, int(size * (1 - OVERLAP)))
        counts = 1 + (spare + hop - 1) // hop
        number = tf.ragged.range(counts)
        rows = number.value_rowids()
        step = tf.cast(spare, tf.float64) / tf.cast(tf.maximum(counts - 1, 1), tf.float64)
        first = tf.cast(tf.round(tf.cast(number.flat_values, tf.float64) * tf.gather(step, rows)), tf.int64)
        before = tf.maximum(size - frames, 0) // 2
        return number.with_flat_values(first - tf.gather(before, rows))

    def _answered(self, model: Any, levels: Any, rows: Any, first: Any, classes: int) -> Any:
        """Probabilities of windows that begin at frame `first` of the sounds `rows`, and 1 for those that are silent:
        float32 `[windows, classes + 1]`."""
        chunks = tf.maximum(-(-tf.size(first) // CHUNK), 1)

        def chunk(number: Any, answered: Any) -> tuple[Any, Any]:
            mine = slice(number * CHUNK, (number + 1) * CHUNK)
            decibels = self._cut(tf.gather(levels, rows[mine]), first[mine])
            window = self.network_input(decibels)
            probabilities = tf.nn.softmax(tf.cast(model({"window": window}, training=False), tf.float32))
            silent = tf.cast(self.is_silent(decibels), tf.float32)[:, tf.newaxis]
            return number + 1, answered.write(number, tf.concat([probabilities, silent], axis=1))

        found = tf.TensorArray(tf.float32, size=chunks, infer_shape=False, element_shape=[None, classes + 1])
        _, found = tf.while_loop(lambda number, _: number < chunks, chunk, (0, found), parallel_iterations=1)
        return tf.ensure_shape(found.concat(), [None, classes + 1])

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.references.summary_statistics import logistic_probabilities

        classes = len(spec.vocabularies["label"])
        found = logistic_probabilities(
            train["summary"], train["label"], evaluation["summary"], classes, self.hparams.seed
        )
        return {} if found is None else {self.reference_name: self.scores(evaluation["label"], found)}

    # --- what a person sees ---

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The sound, what is heard in the course of it if it is longer than a window, and the most probable classes."""
        parts: list[Part] = [Sound.of_file(example["sound"], "sound")]
        if prediction["windows"] > 1:
            parts.append(self._curve(prediction))
        shown = classification.answer_preview(parts, example.get("label"), prediction, self.shown_classes)
        label = as_text(prediction["label"])
        if (answer := as_text(prediction.get("answer", label))) != label:
            shown = dataclasses.replace(shown, title=f"{shown.title} (answer: {answer})")
        by = self.split_by
        if by is None or by == "label" or not example.get(by):
            return shown
        return dataclasses.replace(shown, slice={**shown.slice, by: as_text(example[by])})

    def _curve(self, prediction: Mapping[str, Any]) -> Curve:
        count = int(prediction["windows"])
        over_time = np.asarray(prediction["over_time"])[:count]
        best = np.argsort(-over_time.max(axis=0), kind="stable")[:CURVES]
        begin = np.asarray(prediction["heard_from"])[:count]
        length = self.window_frames * self.scale.seconds
        return Curve(
            {as_text(prediction["labels"][index]): over_time[:, index] for index in best},
            caption=f"in the course of it, by windows of {length:.2g} seconds",
            x_label="seconds, middle of the window",
            y_label="probability",
            start=float(begin[0]) + length / 2,
            step=float(begin[-1] - begin[0]) / max(count - 1, 1),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """In place of lists what is heard when, where the sound is longer than a window."""
        row = super().answer_row(example, answer)
        for name in ("heard", "heard_from", "windows"):
            row.pop(name, None)
        if int(answer["windows"]) > 1:
            row["heard"] = ", ".join(self._stretches(answer))
        return row

    def _stretches(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """Class and seconds of each run of windows of one class; it ends amid the last of them and the next."""
        count, overlap = int(answer["windows"]), self.window_frames * self.scale.seconds
        names, begin = [as_text(name) for name in answer["heard"]][:count], list(answer["heard_from"])[:count]
        middles = [(one + other + overlap) / 2 for one, other in zip(begin, begin[1:], strict=False)]
        edges = [0.0, *middles, begin[-1] + overlap]
        for name, run in groupby(range(count), key=names.__getitem__):
            places = list(run)
            yield f"{name} {edges[places[0]]:.1f}–{edges[places[-1] + 1]:.1f} s"

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)
