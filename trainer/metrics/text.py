"""BLEU and chrF of a whole set of texts, as sacrebleu (Post 2018) computes them.

Of each pair of texts only the counts of matching n-grams are kept, which add up over a set. Imports TFMA; import it
where it is used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from tensorflow_model_analysis.metrics import metric_types, metric_util

Counts = np.ndarray[Any, Any]


class CorpusMetric(metric_types.Metric):
    """A metric of texts whose counts add up: predictions and labels are one string each.

    Args of a subclass's `super().__init__`:
      count: prediction and truth to counts, an array of one shape.
      score: the counts of all pairs, added up, to the metric.
    """

    def __init__(self, count: Callable[[str, str], Counts], score: Callable[[Counts], float], name: str) -> None:
        def computations(name: str, eval_config: Any = None, model_name: str = "", output_name: str = "") -> list[Any]:
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [metric_types.MetricComputation([key], None, _Sum(key, count, score, eval_config))]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name)


class ChrF(CorpusMetric):
    """Character n-gram F-score (Popović 2015), 0 to 100: n up to 6, recall counts twice, whitespace is ignored."""

    constant_value = 0.0  # of the empty text

    def __init__(self, name: str = "chrf") -> None:
        super().__init__(chrf_counts, chrf, name)


class CorpusBleu(CorpusMetric):
    """BLEU (Papineni et al. 2002), 0 to 100: words as in WMT's mteval-v13a, n up to 4, exponential smoothing.

    TFMA has a metric called Bleu, which it would take by that name whatever the module.
    """

    constant_value = 0.0  # of the empty text

    def __init__(self, name: str = "bleu") -> None:
        super().__init__(bleu_counts, bleu, name)


def chrf_counts(prediction: str, truth: str) -> Counts:
    """n-grams predicted, true and matching, for n from 1 to 6: int64 `[18]`."""
    return _counts(_chrf(), prediction, truth)


def chrf(counts: Counts) -> float:
    return float(_chrf()._compute_score_from_stats(counts.tolist()).score)


def bleu_counts(prediction: str, truth: str) -> Counts:
    """Words predicted and true, then matching and predicted n-grams for n from 1 to 4: int64 `[10]`."""
    return _counts(_bleu(), prediction, truth)


def bleu(counts: Counts) -> float:
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
def _bleu() -> BLEU:
    return BLEU(force=True)  # do not warn of texts that look tokenised


def _counts(metric: CHRF | BLEU, prediction: str, truth: str) -> Counts:
    # sacrebleu's public scores keep every sentence; its counts are what can be added up.
    [counts] = metric._extract_corpus_statistics([prediction], [[truth]])
    return np.array(counts, np.int64)


class _Sum(beam.CombineFn):
    def __init__(self, key: Any, count: Callable[..., Counts], score: Callable[..., float], eval_config: Any) -> None:
        self._key, self._count, self._score, self._eval_config = key, count, score, eval_config

    def create_accumulator(self) -> Counts:
        return np.zeros((), np.int64)

    def add_input(self, accumulator: Counts, element: Any) -> Counts:
        for truth, prediction, _ in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            flatten=False,
            squeeze=False,
        ):
            accumulator = accumulator + self._count(_text(prediction), _text(truth))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        return functools.reduce(np.add, accumulators)

    def extract_output(self, accumulator: Counts) -> dict[Any, float]:
        return {self._key: self._score(accumulator)}


def _text(value: Any) -> str:
    [text] = np.asarray(value).ravel().tolist()
    return text.decode() if isinstance(text, bytes) else str(text)
