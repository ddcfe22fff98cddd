"""How well a language model foresees texts. Imports TFMA; import it where it is used."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]


class _OfEach(CountsMetric):
    """The sum of the output `number`, divided by that of the output `units`."""

    number: ClassVar[str]
    units: ClassVar[str] = "characters"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return np.array([np.sum(prediction[name]) for name in (cls.number, cls.units)], np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


class BitsPerCharacter(_OfEach):
    """The cross-entropy, in bits, of a model of Unicode code points: of excerpts, by what is before them."""

    usual_name = "bits_per_character"
    number = "bits"


class PromptBitsPerCharacter(_OfEach):
    """The same of prompts, before which nothing is known."""

    usual_name = "prompt_bits_per_character"
    number, units = "prompt_bits", "prompt_characters"


class ShareUnknown(_OfEach):
    """Of all characters of excerpts the share that the model does not tell apart."""

    usual_name = number = "unknown_characters"


class BitsPerToken(_OfEach):
    """The cross-entropy, in bits, of a model of tokens, of whatever it calls so."""

    usual_name = "bits_per_token"
    number, units = "bits", "tokens"


class Perplexity(BitsPerToken):
    """2 to the power of the bits of a token: among how many equally likely ones a model seems to choose."""

    usual_name = "perplexity"

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(2 ** super().value(counts))


class ShareUnknownTokens(_OfEach):
    """Of all tokens the share that the model does not tell apart."""

    usual_name = number = "unknown_tokens"
    units = "tokens"
