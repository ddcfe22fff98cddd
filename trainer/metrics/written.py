"""What a language model writes when nobody prompts it: how varied, and how much of it copied.

The functions run the exported model: TEXTS texts of CHARACTERS characters from an empty prompt, by seeds from 0 on, at
temperature 1, where it draws as it foresees.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.backend import tf

TEXTS, CHARACTERS = 32, 400

_WORD = re.compile(r"\w+|[^\w\s]")


def distinct_pairs(model: Path) -> float:
    """Distinct-2 (Li et al. 2016): of all pairs of words that follow each other in a text the share that are different.
    Signs are words of their own, and so is each character of a script without spaces."""
    return distinct(_texts(str(model))[0], 2)


def longest_copy(model: Path) -> float:
    """Characters of the longest stretch of any of the texts that stands like this in the train text."""
    return float(max(_texts(str(model))[1]))


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


@functools.lru_cache(maxsize=2)
def _texts(model: str) -> tuple[list[str], list[int]]:
    loaded = tf.saved_model.load(model)
    found = loaded.signatures["raw"](
        prompt=tf.constant([""] * TEXTS),
        temperature=tf.ones([TEXTS]),
        length=tf.fill([TEXTS], tf.constant(CHARACTERS, tf.int64)),
        top_k=tf.zeros([TEXTS], tf.int64),
        top_p=tf.ones([TEXTS]),
        seed=tf.range(TEXTS, dtype=tf.int64),
    )
    return [text.decode() for text in found["text"].numpy()], np.asarray(found["longest_copy"]).tolist()
