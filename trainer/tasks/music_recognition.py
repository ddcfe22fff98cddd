"""Music recognition (question 22): of which class is a piece of music, such as its dance or its genre?

Method: log-mel spectrograms in the graph, of windows of some seconds, through convolutions and a recurrent layer (Choi
et al. 2017; `trainer.networks.crnn`). Sounds `[]` of any rate and length, WAV in the graph -> class
probabilities `[classes]` float32. Loudness does not matter. The answer is the mean over windows, `over_time` says what
is heard in each, so that a piece of minutes is told in its course and overall. In training a window is cut from
anywhere in a piece, and bands and stretches of it are masked (SpecAugment, Park et al. 2019).

Judged by macro-F1: a rare class counts as much as a frequent one.

Default data: `dances`, fiddle tunes of five kinds, **rendered**: played by a sound font's instruments at random speed.
The eval split has other tunes and other instruments than the train split. Reference: mean and deviation of the MFCC,
logistic regression.
Own data: a folder of sounds for each class, as GTZAN has it.
Measured scores and seconds: `docs/results.md`. Command: `benison run music_recognition`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Audio, Label
from trainer.families import sounds
from trainer.task import Evaluation, Features, Gate, Metric

POOLS = ((2, 2), (1, 2), (1, 2))
"""Frames and bands that are made one after each convolution."""
CENTRE, SPREAD = -30.0, 15.0
"""Decibels: mean and deviation of spectrograms of music, to which masks are relative."""


@dataclass(frozen=True)
class MusicRecognitionHParams(sounds.SoundHParams):
    epochs: int = field(default=25, metadata={"min": 1})
    min_steps: int = field(default=500, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    bands: int = field(default=48, metadata={"min": 8, "max": 256})
    window_seconds: float = field(default=6.0, metadata={"min": 0.5, "max": 60.0})
    """Of the music that one answer is given to."""
    filters: int = field(default=12, metadata={"min": 1})
    """Of the first convolution; the last has four times as many."""
    units: int = field(default=48, metadata={"min": 1})
    """Of the recurrent layer, each way."""
    band_mask: int = field(default=8, metadata={"min": 0})
    time_mask: int = field(default=20, metadata={"min": 0})
    """Widest masks, in bands and in frames."""


class MusicRecognition(sounds.SoundClassifierTask):
    title = "Music recognition"
    questions = (22,)
    data = "dances"
    columns = {
        "sound": Audio(max_seconds=sounds.LONGEST_SECONDS, description="a piece of music"),
        "label": Label(description="its kind, such as a dance or a genre"),
    }
    keeps_level = False
    frame_seconds, hop_seconds = 0.064, 0.02
    floor = -70.0
    HParams = MusicRecognitionHParams
    small = {
        **sounds.SoundClassifierTask.small,
        "window_seconds": 1.0,
        "bands": 16,
        "filters": 4,
        "units": 8,
        "band_mask": 0,
        "time_mask": 0,
    }

    def augmented(self, decibels: Any, features: Features, seed: Any) -> Any:
        x = (decibels - CENTRE) / SPREAD
        return self.masked(x, self.hparams.band_mask, self.hparams.time_mask, seed) * SPREAD + CENTRE

    def network(self, window: Any) -> Any:
        from trainer.networks.crnn import crnn

        return crnn(window, self.hparams.filters, self.hparams.units, POOLS)

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="probabilities",
            label="label",
            metrics=(
                Metric("macro_f1", "MacroF1", "trainer.metrics.classification"),
                Metric("accuracy", "SparseCategoricalAccuracy"),
                Metric("confusion", "MultiClassConfusionMatrixPlot"),
            ),
            gates=(Gate("macro_f1", baseline_margin=0.02),),
            slices=("label",),
        )

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from trainer.metrics.classification import MacroF1

        return MacroF1.scores(labels, probabilities)
