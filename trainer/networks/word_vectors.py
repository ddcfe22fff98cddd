"""Vectors of words: learnt ones, and pretrained ones as far as there are any.

Words come as fingerprints (`trainer.features.words`), by which a layer finds them in sorted tables: no lookup table has
to be saved, and a word that training never met still has its pretrained vector.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.assets.word_pieces import CONTINUES, of_lines
from data.errors import WrongUse
from data.sources.assets import read_tensors
from trainer.backend import tf
from trainer.features import words

BUCKETS = 64
"""Vectors that words share which the vocabulary lacks."""

MAX_UNSEEN = 30_000
"""Pretrained words that the train split lacks and the model keeps, the first of their file: often the most frequent."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Pretrained:
    """`vectors` float32 `[words, size]`, of mean 0 and deviation 1, of the words `names` in their normal form."""

    names: Sequence[str]
    vectors: Array


def read_pretrained(file: Path, vocabulary: Sequence[str]) -> Pretrained | None:
    """The vectors of a vocabulary and of the file's first other words, as an asset has them; None where it has none.

    A word that the file lacks is made of the file's pieces, as their mean, where it has pieces (WordPiece's greedy way,
    Wu et al. 2016).

    Args:
      file: of the asset `word_pieces`, or in its place.
      vocabulary: in the normal form of `words.normalised`.

    Raises:
      WrongUse: it names no words.
    """
    tensors = read_tensors(file)
    if "words" not in tensors or len(of_lines(tensors["words"])) != len(tensors["vectors"]):
        raise WrongUse(f"{file} does not name the word of each vector", "see data/assets/word_pieces.py for its form")
    names = of_lines(tensors["words"])
    table = tensors["vectors"].astype(np.float32)
    whole, pieces = _rows_by_word(names)
    found: dict[str, Array] = {}
    for word in vocabulary:
        rows = _rows_of(word, whole, pieces)
        if rows:
            found[word] = table[rows].mean(axis=0)
    if len(found) < 2:
        return None
    known = np.stack(list(found.values()))
    unseen = [word for word in whole if word not in found][:MAX_UNSEEN]
    every = np.concatenate([known, table[[whole[word] for word in unseen]]])
    return Pretrained([*found, *unseen], _standardised(every, known))


def _rows_by_word(names: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Row of each whole word, in its normal form, the first that has it; and of each piece that continues a word."""
    plain = [name.decode() for name in words.normalised(tf.constant(list(names))).numpy()]
    whole: dict[str, int] = {}
    pieces: dict[str, int] = {}
    continues = len(CONTINUES)
    of_pieces = "##s" in set(names)  # else the marks are words themselves
    for row, name in enumerate(plain):
        if of_pieces and name.startswith(CONTINUES) and len(name) > continues:
            pieces.setdefault(name[continues:], row)
        elif not (of_pieces and name.startswith("[") and name.endswith("]") and len(name) > 2):
            whole.setdefault(name, row)
    return whole, pieces


def _rows_of(word: str, whole: Mapping[str, int], pieces: Mapping[str, int]) -> list[int]:
    """The rows that a word is made of; none where it cannot be."""
    if word in whole:
        return [whole[word]]
    if not pieces:
        return []
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    rows: list[int] = []
    begin = 0
    while begin < len(bare):
        known = whole if begin == 0 else pieces
        end = next((end for end in range(len(bare), begin, -1) if bare[begin:end] in known), 0)
        if not end:
            return []
        rows.append(known[bare[begin:end]])
        begin = end
    return rows


def _standardised(vectors: Array, known: Array) -> Array:
    """By the vectors of the words that training has."""
    mean = known.mean(axis=0)
    vectors, known = vectors - mean, known - mean
    return np.asarray(vectors / max(float(known.std()), 1e-6), np.float32)


class WordVectors(tf.keras.layers.Layer):
    """Fingerprints int32 `[batch, words]` to float32 `[batch, words, size]`: a vector that is learnt, of each word of
    the vocabulary and of buckets of all others, and what a dense layer makes of the pretrained one."""

    def __init__(self, vocabulary: Sequence[str], pretrained: Pretrained | None, size: int) -> None:
        super().__init__()
        self._known, order = _sorted(words.fingerprints_of(vocabulary))
        rows = 1 + len(self._known) + BUCKETS
        self._own = self.add_weight("own", [rows, size], initializer=tf.keras.initializers.RandomNormal(stddev=0.1))
        self._pretrained = None
        if pretrained is not None:
            self._names, order = _sorted(words.fingerprints_of(pretrained.names))
            table = np.concatenate([np.zeros_like(pretrained.vectors[:1]), pretrained.vectors[order]])
            given = tf.keras.initializers.Constant(table)
            self._pretrained = self.add_weight("pretrained", table.shape, initializer=given, trainable=False)
            self._projected = tf.keras.layers.Dense(size, use_bias=False)
            self._projected.build([None, table.shape[1]])
        self.built = True

    def call(self, fingerprints: Any) -> Any:
        place = _place(fingerprints, self._known)
        bucket = tf.where(fingerprints == words.PAD, 0, 1 + len(self._known) + fingerprints % BUCKETS)
        x = tf.gather(self._own, tf.where(place > 0, place, bucket))
        if self._pretrained is not None:
            x += self._projected(tf.gather(self._pretrained, _place(fingerprints, self._names)))
        return x


def _sorted(fingerprints: Array) -> tuple[Array, Array]:
    """Different ones, ascending, and where each stood."""
    return np.unique(fingerprints, return_index=True)


def _place(fingerprints: Any, known: Array) -> Any:
    """1 and more for those that are known, which are sorted; 0 for others."""
    if not len(known):
        return tf.zeros_like(fingerprints)
    place = tf.minimum(tf.searchsorted(known, tf.reshape(fingerprints, [-1])), len(known) - 1)
    place = tf.where(tf.gather(known, place) == tf.reshape(fingerprints, [-1]), place + 1, 0)
    return tf.reshape(place, tf.shape(fingerprints))
