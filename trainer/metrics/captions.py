"""BLEU, ROUGE-L and CIDEr-D of captions, each beside all that people wrote of the same picture.

Words are those of `trainer.features.words`, in any script, without capitals and punctuation: as in COCO's evaluation,
whose tokeniser knows English alone. A label is a JSON array of texts, as a column `Texts` holds it. Imports TFMA;
import it where it is used.
"""

from __future__ import annotations

import functools
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from trainer.backend import tf
from trainer.features import words
from trainer.metrics import text
from trainer.metrics.counts import CountsMetric, text_of
from trainer.metrics.kept import KeptMetric

Array = np.ndarray[Any, Any]
Pair = tuple[str, tuple[str, ...]]
"""A caption, and its references."""

LONGEST_GRAM = 4
SPREAD = 6.0
"""Words by which a caption may differ in length from a reference: the deviation of CIDEr-D's Gaussian."""
SCALE = 10.0
"""CIDEr-D is given ten times, as everywhere."""


class CaptionBleu(CountsMetric):
    """BLEU (Papineni et al. 2002), 0 to 100, by sacrebleu: n up to 4, exponential smoothing, all references."""

    usual_name = "bleu"
    constant_value = 0.0  # of the empty caption

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return bleu_counts(text_of(prediction), references_of(label))

    @classmethod
    def value(cls, counts: Array) -> float:
        return text.bleu(counts)


class RougeL(CountsMetric):
    """ROUGE-L (Lin 2004), 0 to 100, by rouge-score: the mean over pictures of F1 of the longest common subsequence
    with the reference that is most like the caption."""

    usual_name = "rouge_l"
    constant_value = 0.0  # of the empty caption

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return np.array([1.0, rouge_l(text_of(prediction), references_of(label))])

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(100 * counts[1] / counts[0])


class CiderD(KeptMetric):
    """CIDEr-D (Vedantam et al. 2015), 0 to 10: how like a caption's n-grams are to those of its references, by cosine
    of TF-IDF, so that words count for much by which pictures are told apart, and for nothing those said of all.

    In how many pictures' references an n-gram stands is known when all have been seen, so the texts are kept, some
    hundred bytes a picture. Of a slice the pictures of the slice alone count, also for that. Captions shorter than four
    words have no n-grams of four words, and none of them reaches 10.
    """

    usual_name = "cider_d"
    constant_value = 0.0  # of the empty caption

    @classmethod
    def kept(cls, label: Array, prediction: Array) -> Pair:
        return text_of(prediction), tuple(references_of(label))

    @classmethod
    def value(cls, kept: Sequence[Pair]) -> float:
        return cider_d(kept)


def corpus_scores(predictions: Iterable[str], references: Iterable[Sequence[str]]) -> dict[str, float]:
    """All three, of captions in memory and the references of each."""
    pairs = [(text, tuple(those)) for text, those in zip(predictions, references, strict=True)]
    return {
        "cider_d": cider_d(pairs),
        "bleu": CaptionBleu.value(np.sum([bleu_counts(*pair) for pair in pairs], axis=0)),
        "rouge_l": 100 * float(np.mean([rouge_l(*pair) for pair in pairs])),
    }


def bleu_counts(caption: str, references: Sequence[str]) -> Array:
    """As `trainer.metrics.text.bleu_counts`."""
    parted = (" ".join(words_of(one)) for one in (caption, *references))
    return text.bleu_counts(*parted, tokenize="none")


def rouge_l(caption: str, references: Sequence[str]) -> float:
    """0 to 1."""
    return float(_rouge().score_multi(list(references), caption)["rougeL"].fmeasure)


def cider_d(pairs: Sequence[Pair]) -> float:
    """The mean over captions; NaN of none."""
    if not pairs:
        return math.nan
    pictures: Counter[tuple[str, ...]] = Counter()
    for _, references in pairs:
        pictures.update({gram for text in references for gram in _grams(text)})
    rarity = {gram: math.log(len(pairs) / count) for gram, count in pictures.items()}
    unseen = math.log(len(pairs))
    found = []
    for caption, references in pairs:
        said = _weighted(caption, rarity, unseen)
        likeness = [_likeness(said, _weighted(text, rarity, unseen)) for text in references]
        found.append(SCALE * float(np.mean(likeness)))
    return float(np.mean(found))


def references_of(label: Array) -> list[str]:
    """The texts of a label."""
    return [str(text) for text in json.loads(text_of(label))]


@functools.lru_cache(maxsize=100_000)
def words_of(text: str) -> tuple[str, ...]:
    """The words that are compared; of a text that is all punctuation, its signs."""
    split = words.normalised(words.split_words(tf.constant([text])))
    found = [word.decode() for word in split.flat_values.numpy().tolist()]
    spoken = [word for word in found if not all(unicodedata.category(sign)[0] == "P" for sign in word)]
    return tuple(spoken or found)


_Weights = tuple[int, tuple[Mapping[tuple[str, ...], float], ...]]
"""Words of a text, and for n from 1 to 4 the weight of each of its n-grams."""


def _weighted(text: str, rarity: Mapping[tuple[str, ...], float], unseen: float) -> _Weights:
    by_length: list[dict[tuple[str, ...], float]] = [{} for _ in range(LONGEST_GRAM)]
    for gram, count in _grams(text).items():
        by_length[len(gram) - 1][gram] = count * rarity.get(gram, unseen)
    return len(words_of(text)), tuple(by_length)


def _likeness(said: _Weights, truth: _Weights) -> float:
    """The mean over n of cosines in which a gram that is said too often counts no more than it should (the "D"), by how
    near the lengths are."""
    cosines = []
    for ours, theirs in zip(said[1], truth[1], strict=True):
        norms = math.hypot(*ours.values()) * math.hypot(*theirs.values())
        shared = sum(min(weight, theirs[gram]) * theirs[gram] for gram, weight in ours.items() if gram in theirs)
        cosines.append(shared / norms if norms else 0.0)
    return float(np.mean(cosines)) * math.exp(-((said[0] - truth[0]) ** 2) / (2 * SPREAD**2))


@functools.lru_cache(maxsize=100_000)
def _grams(text: str) -> Counter[tuple[str, ...]]:
    found = words_of(text)
    return Counter(found[i : i + n] for n in range(1, LONGEST_GRAM + 1) for i in range(len(found) - n + 1))


class _Words:
    """`words_of` as rouge-score wants it."""

    def tokenize(self, text: str) -> list[str]:
        return list(words_of(text))


@functools.cache
def _rouge() -> RougeScorer:
    return RougeScorer(["rougeL"], tokenizer=_Words())
