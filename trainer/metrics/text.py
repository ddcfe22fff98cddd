"""BLEU and chrF of a whole set of texts, as sacrebleu (Post 2018) computes them.

Of each pair of texts only the counts of matching n-grams are kept, which add up over a set. Imports TFMA; import it
where it is used.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from trainer.metrics.counts import CountsMetric, text_of

Array = np.ndarray[Any, Any]


class ChrF(CountsMetric):
    """Character n-gram F-score (Popović 2015), 0 to 100: n up to 6, recall counts twice, whitespace is ignored."""

    usual_name = "chrf"
    constant_value = 0.0  # of the empty text

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return chrf_counts(text_of(prediction), text_of(label))

    @classmethod
    def value(cls, counts: Array) -> float:
        return chrf(counts)


class CorpusBleu(CountsMetric):
    """BLEU (Papineni et al. 2002), 0 to 100: words as in WMT's mteval-v13a, n up to 4, exponential smoothing.

    TFMA has a metric called Bleu, which it would take by that name whatever the module.
    """

    usual_name = "bleu"
    constant_value = 0.0  # of the empty text

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return bleu_counts(text_of(prediction), text_of(label))

    @classmethod
    def value(cls, counts: Array) -> float:
        return bleu(counts)


def chrf_counts(prediction: str, truth: str) -> Array:
    """n-grams predicted, true and matching, for n from 1 to 6: int64 `[18]`."""
    return _counts(_chrf(), prediction, truth)


def chrf(counts: Array) -> float:
    return float(_chrf()._compute_score_from_stats(counts.tolist()).score)


def bleu_counts(prediction: str, *truths: str, tokenize: str = "13a") -> Array:
    """Words predicted and, of the truth nearest in length, true, then matching and predicted n-grams for n from 1 to 4:
    int64 `[10]`. `tokenize` is sacrebleu's name of what parts words."""
    return _counts(_bleu(tokenize), prediction, *truths)


def bleu(counts: Array) -> float:
    """Of counts that were added up, whatever parted the words."""
    return float(_bleu()._compute_score_from_stats(counts.tolist()).score)


def corpus_scores(predictions: Iterable[str], truths: Iterable[str]) -> dict[str, float]:
    """chrF and BLEU of texts in memory."""
    pairs = list(zip(predictions, truths, strict=True))
    return {
        "chrf": chrf(np.sum([chrf_counts(*pair) for pair in pairs], axis=0)),
        "bleu": bleu(np.sum([bleu_counts(*pair) for pair in pairs], axis=0)),
    }


@functools.cache
def _chrf() -> CHRF:
    return CHRF()


@functools.cache
def _bleu(tokenize: str = "13a") -> BLEU:
    return BLEU(tokenize=tokenize, force=True)  # do not warn of texts that look tokenised


def _counts(metric: CHRF | BLEU, prediction: str, *truths: str) -> Array:
    # sacrebleu's public scores keep every sentence; its counts are what can be added up.
    [counts] = metric._extract_corpus_statistics([prediction], [[truth] for truth in truths])
    return np.array(counts, np.int64)
