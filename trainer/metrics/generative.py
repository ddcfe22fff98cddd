"""How like real pictures generated ones are as a whole, and how varied, in the eyes of a frozen judge.

A judge takes uint8 pictures `[batch, height, width, channels]` to `features` `[batch, width]` and `probabilities`
`[batch, classes]` (see `trainer.networks.picture_judge`). Only counts, sums and outer products of what it says are
kept, so that parts of a set can be judged apart and added up. Imports TFMA; import it where it is used."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from trainer.backend import tf
from trainer.features import images
from trainer.metrics.counts import CountsMetric
from trainer.metrics.judge import Judge, loaded

BATCH = 256
"""Pictures that the judge sees at once, and at most so many are held back for it."""

COVERED = 0.1
"""A class is covered if its share among generated pictures is at least this part of its share among real ones."""

ACTIVE = 0.01
"""Variance over a set above which a number of a code is in use."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Judged:
    """What is kept of a set of pictures: two of them add up to that of both sets."""

    count: int
    total: Array
    """Sum of features, float64 `[width]`."""
    products: Array
    """Sum of their outer products, float64 `[width, width]`."""
    classes: Array
    """Pictures in each class, int64 `[classes]`."""

    @classmethod
    def of(cls, judge: Judge, pictures: Array) -> Judged:
        """Of uint8 pictures `[n, height, width, channels]`, n ≥ 1."""
        parts = (judge(tf.constant(pictures[i : i + BATCH])) for i in range(0, len(pictures), BATCH))
        return functools.reduce(lambda a, b: a + b, (cls._of_batch(part) for part in parts))

    @classmethod
    def _of_batch(cls, judgement: Mapping[str, Any]) -> Judged:
        features = np.asarray(judgement["features"], np.float64)
        probabilities = np.asarray(judgement["probabilities"])
        classes = np.bincount(probabilities.argmax(axis=-1), minlength=probabilities.shape[-1])
        return cls(len(features), features.sum(axis=0), features.T @ features, classes)

    def __add__(self, other: Judged) -> Judged:
        return Judged(
            self.count + other.count,
            self.total + other.total,
            self.products + other.products,
            self.classes + other.classes,
        )

    @property
    def mean(self) -> Array:
        return self.total / self.count

    @property
    def covariance(self) -> Array:
        """Unbiased; zero for a single picture."""
        return (self.products - self.count * np.outer(self.mean, self.mean)) / max(self.count - 1, 1)


def frechet_distance(real: Judged, generated: Judged) -> float:
    """Fréchet distance between two Gaussians with the sets' means and covariances (Dowson & Landau 1982), as used on
    Inception's features by Heusel et al. (2017): |m - n|² + tr(S + T - 2 (S T)^½). 0 or more; not a bounded score.

    The trace of (S T)^½ is that of (S^½ T S^½)^½, which is symmetric: no complex parts, and no trouble where S or T is
    singular.
    """
    values, vectors = np.linalg.eigh(real.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ generated.covariance @ root).clip(min=0)).sum()
    apart = np.sum((real.mean - generated.mean) ** 2)
    return float(max(0.0, apart + np.trace(real.covariance + generated.covariance) - 2 * cross))


def class_coverage(real: Judged, generated: Judged) -> float:
    """Share of the classes among real pictures that generated ones cover (`COVERED`): 1 is no mode missed."""
    shares = generated.classes / generated.count
    present = real.classes > 0
    return float(np.mean(shares[present] >= COVERED * real.classes[present] / real.count))


def class_entropy(real: Judged, generated: Judged) -> float:
    """Entropy of the classes of generated pictures, in bits: log2(classes) at most, 0 where all are of one class."""
    shares = generated.classes[generated.classes > 0] / generated.count
    return float(-np.sum(shares * np.log2(shares)) + 0.0)


MEASURES = {measure.__name__: measure for measure in (frechet_distance, class_coverage, class_entropy)}


def scores(judge: Judge, real: Array, generated: Array) -> dict[str, float]:
    """All measures of two sets of pictures, uint8 `[n, height, width, channels]`."""
    sets = Judged.of(judge, real), Judged.of(judge, generated)
    return {name: measure(*sets) for name, measure in MEASURES.items()}


class _JudgedMetric(metric_types.Metric):
    """A measure of the generated pictures (predictions) beside the real ones (labels: encoded as in their files).

    Real pictures are decoded and brought to the size and channels of the generated ones as in `preprocess`.
    """

    def __init__(self, measure: Callable[[Judged, Judged], float], judge: str, name: str) -> None:
        def computations(
            name: str, judge: str, eval_config: Any = None, model_name: str = "", output_name: str = ""
        ) -> list[Any]:
            # All measures share one pass through the judge: TFMA drops computations that are there already.
            sets = metric_types.MetricKey("_judged_pictures", model_name=model_name, output_name=output_name)
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [
                metric_types.MetricComputation([sets], None, _JudgedSets(sets, judge, eval_config)),
                metric_types.DerivedMetricComputation([key], lambda metrics: {key: measure(*metrics[sets])}),
            ]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name, judge=judge)


class FrechetDistance(_JudgedMetric):
    def __init__(self, judge: str, name: str = "frechet_distance") -> None:
        super().__init__(frechet_distance, judge, name)


class ClassCoverage(_JudgedMetric):
    def __init__(self, judge: str, name: str = "class_coverage") -> None:
        super().__init__(class_coverage, judge, name)


class ClassEntropy(_JudgedMetric):
    def __init__(self, judge: str, name: str = "class_entropy") -> None:
        super().__init__(class_entropy, judge, name)


class AnswerMean(CountsMetric):
    """Of what the model itself says of each example, one number."""

    usual_name = "answer_mean"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        return np.array([float(np.ravel(prediction)[0]), 1.0])

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])


class ActiveUnits(CountsMetric):
    """How many numbers of the codes `[batch, latent_size]` are in use: those whose variance over the pictures is above
    `ACTIVE` (Burda et al. 2016)."""

    usual_name = "active_units"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        code = np.ravel(prediction).astype(np.float64)
        return np.stack([np.ones_like(code), code, code**2])

    @classmethod
    def value(cls, counts: Array) -> float:
        examples, total, squares = counts
        return float(np.sum(squares / examples - (total / examples) ** 2 > ACTIVE))


@dataclass
class _Accumulator:
    sets: tuple[Judged, Judged] | None = None
    """Of real and of generated pictures."""
    waiting: list[tuple[bytes, Array]] = field(default_factory=list)
    """Real and generated pictures, fewer than `BATCH`, that the judge has not seen yet."""


class _JudgedSets(beam.CombineFn):
    def __init__(self, key: Any, judge: str, eval_config: Any) -> None:
        self._key, self._judge, self._eval_config = key, judge, eval_config

    def create_accumulator(self) -> _Accumulator:
        return _Accumulator()

    def add_input(self, accumulator: _Accumulator, element: Any) -> _Accumulator:
        for real, generated, _ in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            flatten=False,
            squeeze=False,
        ):
            accumulator.waiting.append((real.item(), generated))
        return accumulator if len(accumulator.waiting) < BATCH else self.compact(accumulator)

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        merged = _Accumulator()
        for each in accumulators:
            merged.sets = _added(merged.sets, each.sets)
            merged.waiting = merged.waiting + each.waiting
            if len(merged.waiting) >= BATCH:
                merged = self.compact(merged)
        return merged

    def compact(self, accumulator: _Accumulator) -> _Accumulator:
        if not accumulator.waiting:
            return accumulator
        generated = np.stack([picture for _, picture in accumulator.waiting])
        real = images.decode(tf.constant([encoded for encoded, _ in accumulator.waiting]), *generated.shape[1:])
        judge = loaded(self._judge)
        judged = Judged.of(judge, real.numpy()), Judged.of(judge, generated)
        return _Accumulator(_added(accumulator.sets, judged))

    def extract_output(self, accumulator: _Accumulator) -> dict[Any, Any]:
        return {self._key: self.compact(accumulator).sets}


def _added(sets: tuple[Judged, Judged] | None, more: tuple[Judged, Judged] | None) -> tuple[Judged, Judged] | None:
    return (sets[0] + more[0], sets[1] + more[1]) if sets and more else sets or more
