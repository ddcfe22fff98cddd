"""COCO's average precision of detected boxes (Lin et al. 2014), from counts that add up over a set.

Of each picture is kept, for each class, how many objects there are and, for each range of scores, how many detections
found one: as much memory as classes, however many pictures. Scores are told apart to one in `BINS`; COCO's own script
keeps all of them. Imports TFMA; import it where it is used.

Objects are float32 `[n, 5]`, (xmin, ymin, xmax, ymax, class), and detections `[n, 6]` with a score from 0 to 1 behind,
in pixels. Rows of class -1 are padding.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""A detection finds an object if their intersection is at least this share of their union."""

RECALLS = np.linspace(0, 1, 101)
"""Precision is averaged over these."""

BINS = 1000
ROUNDING = 1e-4
"""Of a stretch. Scores are float32, of which 0.9 is a little less than the 0.9 at which a stretch begins."""

SURE = 0.5
"""Score from which on a detection is shown to people."""

AREAS = {"all": (0.0, math.inf), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, math.inf)}
"""Square pixels of an object. Others are left aside, and so are detections of them."""


@dataclass(frozen=True)
class Matched:
    """What is kept of one class: two of them add up to that of both sets."""

    objects: int
    hits: Array
    """Detections that found an object, int64 `[IOU_THRESHOLDS, BINS]`."""
    misses: Array
    """Detections that found none."""

    def __add__(self, other: Matched) -> Matched:
        return Matched(self.objects + other.objects, self.hits + other.hits, self.misses + other.misses)


Tally = dict[int, Matched]
"""By class."""


def match(objects: Array, detections: Array, area: str = "all") -> Tally:
    """Lets the detections of one picture, best first, each take the object of its class that it overlaps most."""
    classes = np.union1d(objects[:, 4], detections[:, 4]).astype(int)
    return {
        c: _match_class(objects[objects[:, 4] == c, :4], detections[detections[:, 4] == c], AREAS[area])
        for c in classes.tolist()
        if c >= 0
    }


def _match_class(objects: Array, detections: Array, area: tuple[float, float]) -> Matched:
    detections = detections[np.argsort(-detections[:, 5], kind="stable")]
    aside, detection_aside = (~_within(_area(boxes), area) for boxes in (objects, detections))
    overlaps = _iou(detections, objects)
    taken = np.zeros((len(IOU_THRESHOLDS), len(objects)), bool)
    hits, misses = np.zeros((2, len(IOU_THRESHOLDS), BINS), np.int64)
    for overlap, outside, score in zip(overlaps, detection_aside, detections[:, 5], strict=True):
        free = ~taken & (overlap >= IOU_THRESHOLDS[:, None])
        found, best = _best(np.where(free, overlap, 0.0), aside)
        taken[found, best[found]] = True
        hit = found & ~aside[best] if len(objects) else found
        left_aside = np.where(found, ~hit, outside)
        place = min(int(score * BINS + ROUNDING), BINS - 1)
        hits[:, place] += hit
        misses[:, place] += ~hit & ~left_aside
    return Matched(int((~aside).sum()), hits, misses)


def _best(overlap: Array, aside: Array) -> tuple[Array, Array]:
    """Whether anything is left to find, and what: one that is left aside only where there is no other."""
    if not len(aside):
        return np.zeros(len(overlap), bool), np.zeros(len(overlap), int)
    preferred = overlap + (overlap > 0) * ~aside
    return (overlap > 0).any(axis=1), preferred.argmax(axis=1)


def average_precision(tally: Tally, thresholds: Sequence[float] = tuple(IOU_THRESHOLDS)) -> float:
    """Mean over classes of which there are objects, over thresholds and over recalls; NaN if there are no objects."""
    wanted = [i for i, threshold in enumerate(IOU_THRESHOLDS) if np.isclose(threshold, thresholds).any()]
    return _mean([_precision(matched, i) for matched in tally.values() if matched.objects for i in wanted])


def precision_at_recalls(tally: Tally, threshold: int) -> Array:
    """The curve under which `average_precision` measures: `[RECALLS]`, mean over classes of which there are objects.

    `threshold` is a place in `IOU_THRESHOLDS`.
    """
    return np.mean([_precisions(matched, threshold) for matched in tally.values() if matched.objects], axis=0)


def precision_of_classes(tally: Tally, threshold: int) -> dict[int, tuple[float, Array]]:
    """Average precision, and the curve under which it measures, `[RECALLS]`, of each class of which there are objects.

    `threshold` is a place in `IOU_THRESHOLDS`.
    """
    curves = {c: _precisions(matched, threshold) for c, matched in tally.items() if matched.objects}
    return {c: (float(curve.mean()), curve) for c, curve in curves.items()}


def _precision(matched: Matched, threshold: int) -> float:
    return float(_precisions(matched, threshold).mean())


def _precisions(matched: Matched, threshold: int) -> Array:
    hits, misses = (np.cumsum(counts[threshold, ::-1]) for counts in (matched.hits, matched.misses))
    precision = hits / np.maximum(hits + misses, 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]  # at this recall or a higher one
    reached = np.searchsorted(hits / matched.objects, RECALLS)
    return np.append(highest, 0.0)[reached]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _area(boxes: Array) -> Array:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _within(values: Array, limits: tuple[float, float]) -> Array:
    return (values >= limits[0]) & (values < limits[1])


def _iou(a: Array, b: Array) -> Array:
    """`[n, 4 or more]` and `[m, 4 or more]` to `[n, m]`."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    union = _area(a)[:, None] + _area(b)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def tally_of(objects: Iterable[Array], detections: Iterable[Array]) -> Tally:
    """Of pictures in memory."""
    return functools.reduce(_added, map(match, objects, detections), {})


def scores(objects: Sequence[Array], detections: Sequence[Array]) -> dict[str, float]:
    """Of pictures in memory: `map` as COCO's main number, and `map_50` for the threshold 0.5 alone."""
    tally = tally_of(objects, detections)
    return {"map": average_precision(tally), "map_50": average_precision(tally, [0.5])}


class AveragePrecision(metric_types.Metric):
    """mAP of detections (predictions) of objects (labels), both padded with rows of class -1.

    Beside the mean over classes stands the precision of each, under TFMA's sub-key of that class; of how many objects
    it is stands there as `example_count`.

    Args:
      iou_threshold: one of `IOU_THRESHOLDS`; None averages over all.
      area: one of `AREAS`.
    """

    constant_value = 0.0  # of finding nothing in any picture

    def __init__(self, name: str = "map", iou_threshold: float | None = None, area: str = "all") -> None:
        thresholds = tuple(IOU_THRESHOLDS) if iou_threshold is None else (iou_threshold,)

        def computations(
            name: str, eval_config: Any = None, model_name: str = "", output_name: str = "", **of_config: Any
        ) -> list[Any]:
            tally = metric_types.MetricKey(f"_matched_{area}", model_name=model_name, output_name=output_name)
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            return [
                metric_types.MetricComputation([tally], None, _Matching(tally, area, eval_config)),
                metric_types.DerivedMetricComputation(
                    [key],
                    lambda metrics: {
                        key: average_precision(metrics[tally], thresholds),
                        **(_of_each_class(key, metrics[tally], thresholds) if area == "all" else {}),
                    },
                ),
            ]

        super().__init__(
            metric_util.merge_per_key_computations(computations), name=name, iou_threshold=iou_threshold, area=area
        )


def _of_each_class(key: Any, tally: Tally, thresholds: Sequence[float]) -> dict[Any, float]:
    found = {}
    for number, matched in tally.items():
        if matched.objects:
            part = key._replace(sub_key=metric_types.SubKey(class_id=number))
            found[part] = average_precision({number: matched}, thresholds)
            found[part._replace(name="example_count")] = float(matched.objects)
    return found


class FalseAlarms(CountsMetric):
    """Share of the pictures without objects in which something is found, of a score of at least SURE. NaN where all
    pictures hold objects. Labels and predictions as of `AveragePrecision`, which such pictures tell little of."""

    usual_name = "false_alarms"

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        objects, detections = label.reshape(-1, 5), prediction.reshape(-1, 6)
        if (objects[:, 4] >= 0).any():
            return np.zeros(2, np.int64)
        alarm = ((detections[:, 4] >= 0) & (detections[:, 5] >= SURE)).any()
        return np.array([alarm, True], np.int64)

    @classmethod
    def value(cls, counts: Array) -> float:
        alarms, pictures = counts.tolist()
        return alarms / pictures if pictures else math.nan


class _Matching(beam.CombineFn):
    def __init__(self, key: Any, area: str, eval_config: Any) -> None:
        self._key, self._area, self._eval_config = key, area, eval_config

    def create_accumulator(self) -> Tally:
        return {}

    def add_input(self, accumulator: Tally, element: Any) -> Tally:
        for objects, detections, _ in metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self._key.model_name,
            output_name=self._key.output_name,
            flatten=False,
            squeeze=False,
        ):
            more = match(objects.reshape(-1, 5), detections.reshape(-1, 6), self._area)
            accumulator = _added(accumulator, more)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Tally]) -> Tally:
        return functools.reduce(_added, accumulators, {})

    def extract_output(self, accumulator: Tally) -> dict[Any, Any]:
        return {self._key: accumulator}


def _added(tally: Tally, more: Tally) -> Tally:
    return tally | {c: tally[c] + matched if c in tally else matched for c, matched in more.items()}
