"""How well a language model foresees texts. Imports TFMA; import it where it is used."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]


class _ForEachCharacter(CountsMetric):
    """The sum of one number of each example, divided by that of another."""

    number: ClassVar[str]
    characters: ClassVar[str] = "characters"

    @classmethod
    def counts(cls, label: Array, prediction: Any) -> Array:
        return np.array([np.sum(prediction[name]) for name in (cls.number, cls.characters)], np.float64)

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


class BitsPerCharacter(_ForEachCharacter):
    """The cross-entropy, in bits, of a model of Unicode code points: of excerpts, by what is before them."""

    usual_name = "bits_per_character"
    number = "bits"


class PromptBitsPerCharacter(_ForEachCharacter):
    """The same of prompts, before which nothing is known."""

    usual_name = "prompt_bits_per_character"
    number, characters = "prompt_bits", "prompt_characters"


class ShareUnknown(_ForEachCharacter):
    """Of all characters of excerpts the share that the model does not tell apart."""

    usual_name = number = "unknown_characters"


class BitsPerToken(_ForEachCharacter):
    """The cross-entropy, in bits, of a model of tokens, of whatever it calls so."""

    usual_name = "bits_per_token"
    number, characters = "bits", "tokens"


class ShareUnknownTokens(_ForEachCharacter):
    """Of all tokens the share that the model does not tell apart."""

    usual_name = number = "unknown_tokens"
    characters = "tokens"
