"""How varied texts are: distinct-n (Li et al. 2016), of all n words that follow each other in a text the share that are
different. Signs are words of their own, and so is each character of a script without spaces.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.metrics.counts import text_of
from trainer.metrics.kept import KeptMetric

Array = np.ndarray[Any, Any]

_WORD = re.compile(r"\w+|[^\w\s]")


class DistinctPairs(KeptMetric):
    """Distinct-2 of predicted texts. The more texts there are, the smaller it is: compare it on the same ones."""

    usual_name = "distinct_2"

    @classmethod
    def kept(cls, label: Array, prediction: Array) -> str:
        return text_of(prediction)

    @classmethod
    def value(cls, kept: Sequence[str]) -> float:
        return distinct(kept, 2) if kept else math.nan


def distinct(texts: Sequence[str], n: int) -> float:
    """Distinct-n of some texts; 0 where none has so many words."""
    grams = [gram for words in map(words_of, texts) for gram in zip(*(words[i:] for i in range(n)), strict=False)]
    return len(set(grams)) / len(grams) if grams else 0.0


def words_of(text: str) -> list[str]:
    """Words and signs in lower case; of scripts that put no spaces between words, characters."""
    found = []
    for word in _WORD.findall(text.casefold()):
        found += list(word) if any(map(_without_spaces, word)) else [word]
    return found


def _without_spaces(character: str) -> bool:
    """Whether it is a letter of Chinese, Japanese, Thai, Lao, Khmer or Burmese."""
    if character < "\u0e00" or unicodedata.category(character)[0] != "L":
        return False
    name = unicodedata.name(character, "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))
