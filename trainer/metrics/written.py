"""What a language model writes when nobody prompts it: how varied, and how much of it copied.

The functions run the exported model: TEXTS texts of CHARACTERS characters from an empty prompt, by seeds from 0 on, at
temperature 1, where it draws as it foresees.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from trainer.backend import tf
from trainer.metrics.diversity import distinct

TEXTS, CHARACTERS = 32, 400


def distinct_pairs(model: Path) -> float:
    """Distinct-2, as `trainer.metrics.diversity` has it."""
    return distinct(_texts(str(model))[0], 2)


def longest_copy(model: Path) -> float:
    """Characters of the longest stretch of any of the texts that stands like this in the train text."""
    return float(max(_texts(str(model))[1]))


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
