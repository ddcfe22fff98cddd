"""How well a language model foresees texts. Imports TFMA; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]


class BitsPerCharacter(CountsMetric):
    """Bits that all characters cost, `bits`, for each of them, `characters`: the cross-entropy, in bits, of a model of
    Unicode code points."""

    usual_name = "bits_per_character"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return np.array([np.sum(prediction["bits"]), np.sum(prediction["characters"])], np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


class ShareUnknown(CountsMetric):
    """Of all `characters` the share that the model does not tell apart, `unknown_characters`."""

    usual_name = "unknown_characters"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return np.array([np.sum(prediction["unknown_characters"]), np.sum(prediction["characters"])], np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])
