"""How near synthetic speech is to a recording of the same text. Imports TFMA; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric
from trainer.references.dtw import best_path

Array = np.ndarray[Any, Any]


class MelCepstralDistortion(CountsMetric):
    """How far the spectral envelopes lie apart, in decibels, on average over frames, whatever the pace of each (MCD,
    Kubichek 1993, after dynamic time warping).

    Compares the outputs `cepstra` and `recorded_cepstra`, float32 `[frames, coefficients]` of `audio.envelope`, behind
    the last of which stands not-a-number. Kubichek's `10 / ln 10 * sqrt(2 * sum (c - c')**2)`, of cepstra of the
    natural logarithm of amplitudes, is the root mean square difference of two envelopes in decibels over the mel scale:
    the distance of what `audio.envelope` gives.
    """

    usual_name = "mel_cepstral_distortion"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        spoken, recorded = (_present(prediction[name]) for name in ("cepstra", "recorded_cepstra"))
        return np.array(best_path(spoken, recorded), np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


class DurationError(CountsMetric):
    """The mean absolute error of how long characters last, silences around a text among them, in milliseconds: of the
    outputs `lasting` and `recorded_lasting`, float32 `[places]` in seconds, behind the last 0."""

    usual_name = "duration_error"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        spoken, recorded = prediction["lasting"], prediction["recorded_lasting"]
        return np.array([1000 * np.abs(spoken - recorded).sum(), np.count_nonzero(spoken)], np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


def score(metric: type[CountsMetric], examples: list[dict[str, Array]]) -> float:
    """The metric of examples in memory, each by output."""
    return metric.value(np.sum([metric.counts(np.empty(0), example) for example in examples], axis=0))


def _present(padded: Array) -> Array:
    """Of an array the rows that are numbers."""
    return padded[np.isfinite(padded.reshape(len(padded), -1)).all(1)]
