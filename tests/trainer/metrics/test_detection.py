"""COCO's average precision beside cases worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.detection import (
    AveragePrecision,
    FalseAlarms,
    average_precision,
    match,
    precision_at_recalls,
    precision_of_classes,
    scores,
    tally_of,
)

OBJECTS = np.array([[0, 0, 10, 10, 0], [20, 0, 30, 10, 0], [0, 20, 10, 30, 1], [0, 0, 0, 0, -1]], np.float32)


def detections(*rows: tuple[float, ...]) -> Any:
    return np.array([*rows, (0, 0, 0, 0, -1, 0)], np.float32)


PERFECT = detections(*((*row, 0.9) for row in OBJECTS[:3].tolist()))


def test_perfect_detections_score_one() -> None:
    assert scores([OBJECTS], [PERFECT]) == {"map": 1.0, "map_50": 1.0}


def test_no_detections_score_zero() -> None:
    assert scores([OBJECTS], [detections()]) == {"map": 0.0, "map_50": 0.0}


def test_one_class_by_hand() -> None:
    # Of two objects, the first is found by the best detection, then a miss, then the second: precision 1, 1/2, 2/3 at
    # recalls 1/2, 1/2, 1. The envelope is 1 up to recall 1/2 (51 of 101 points) and 2/3 from there on (50 points).
    found = detections((0, 0, 10, 10, 0, 0.9), (50, 50, 60, 60, 0, 0.8), (20, 0, 30, 10, 0, 0.7))
    assert scores([OBJECTS[:2]], [found])["map_50"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_curve_is_what_the_average_is_taken_of() -> None:
    found = detections(
        (0, 0, 10, 10, 0, 0.9), (50, 50, 60, 60, 0, 0.8), (20, 0, 30, 10, 0, 0.7), (0, 20, 10, 30, 1, 0.6)
    )
    tally = tally_of([OBJECTS], [found])
    curve = precision_at_recalls(tally, 0)
    assert curve[[0, 50, 51, 100]] == pytest.approx([1, 1, 5 / 6, 5 / 6])  # the mean of 1 and 2/3 from recall 1/2 on
    assert curve.mean() == pytest.approx(average_precision(tally, [0.5]))


def test_a_second_detection_of_the_same_object_is_a_miss() -> None:
    found = detections((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 0, 0.8), (20, 0, 30, 10, 0, 0.7))
    assert scores([OBJECTS[:2]], [found])["map_50"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_looser_boxes_count_at_lower_thresholds_only() -> None:
    found = detections((0, 0, 10, 7.7, 0, 0.9))  # IoU 0.77: at 0.5 to 0.75, six thresholds of ten
    assert scores([OBJECTS[:1]], [found]) == {"map": pytest.approx(0.6), "map_50": 1.0}


def test_the_class_must_be_right() -> None:
    assert scores([OBJECTS[:1]], [detections((0, 0, 10, 10, 1, 0.9))])["map_50"] == 0.0


def test_objects_of_other_sizes_are_left_aside_with_what_found_them() -> None:
    objects = np.array([[0, 0, 10, 10, 0], [100, 100, 150, 150, 0]], np.float32)
    found = detections((100, 100, 150, 150, 0, 0.9), (0, 0, 10, 10, 0, 0.8), (200, 200, 250, 250, 0, 0.95))
    small = match(objects, found, "small")
    assert small[0].objects == 1
    assert average_precision(small) == 1.0
    assert average_precision(match(objects, found, "medium")) == pytest.approx(0.5)
    assert math.isnan(average_precision(match(objects, found, "large")))


def test_parts_of_a_set_add_up_in_tfma() -> None:
    computation, derived = AveragePrecision("map_50", iou_threshold=0.5).computations(
        model_names=[""], output_names=[""]
    )
    combiner = computation.combiner
    pairs = [(OBJECTS, PERFECT), (OBJECTS, detections()), (OBJECTS, detections((0, 0, 10, 10, 0, 0.6)))]
    parts = []
    for objects, found in pairs:
        inputs = metric_types.StandardMetricInputs({"labels": objects, "predictions": found, "example_weights": None})
        parts.append(combiner.add_input(combiner.create_accumulator(), inputs))
    merged = combiner.extract_output(combiner.merge_accumulators(parts))
    expected = scores([objects for objects, _ in pairs], [found for _, found in pairs])["map_50"]
    found = derived.result(merged)
    assert found.pop(derived.keys[0]) == pytest.approx(expected)
    # Class 0: 3 of 6 objects, none missed; class 1: 1 of 3.
    assert expected == pytest.approx((51 / 101 + 34 / 101) / 2)
    of_classes = {(key.name, key.sub_key.class_id): value for key, value in found.items()}
    assert of_classes == {
        ("map_50", 0): pytest.approx(51 / 101),
        ("map_50", 1): pytest.approx(34 / 101),
        ("example_count", 0): 6,
        ("example_count", 1): 3,
    }


def test_classes_are_told_apart_at_all_sizes_only() -> None:
    _, derived = AveragePrecision("map_small", area="small").computations(model_names=[""], output_names=[""])
    [matched] = derived.result({metric_types.MetricKey("_matched_small"): tally_of([OBJECTS], [PERFECT])}).values()
    assert matched == 1.0


def test_each_class_has_a_precision_of_its_own() -> None:
    tally = tally_of([OBJECTS], [detections((0, 0, 10, 10, 0, 0.9), (20, 0, 30, 10, 0, 0.8), (0, 0, 5, 5, 2, 0.9))])
    found = precision_of_classes(tally, threshold=0)
    assert {c: average for c, (average, _) in found.items()} == {0: 1.0, 1: 0.0}  # of the third there are no objects
    assert average_precision(tally, [0.5]) == pytest.approx(0.5)


NOTHING = np.full((2, 5), -1, np.float32)


@pytest.mark.parametrize(
    ("pictures", "share"),
    [
        ([(NOTHING, detections((0, 0, 9, 9, 0, 0.9), (1, 1, 9, 9, 1, 0.7))), (NOTHING, detections())], 0.5),
        ([(NOTHING, detections((0, 0, 9, 9, 0, 0.49)))], 0.0),  # nobody is shown it
        ([(NOTHING, detections((0, 0, 9, 9, 0, 0.5))), (OBJECTS, detections((50, 50, 60, 60, 0, 0.9)))], 1.0),
        ([(OBJECTS, PERFECT)], math.nan),
    ],
)
def test_false_alarms_are_of_pictures_without_objects(pictures: list[Any], share: float) -> None:
    [computation] = FalseAlarms().computations(model_names=[""], output_names=[""])
    combiner = computation.combiner
    accumulator = combiner.create_accumulator()
    for objects, found in pictures:
        inputs = metric_types.StandardMetricInputs({"labels": objects, "predictions": found, "example_weights": None})
        accumulator = combiner.add_input(accumulator, inputs)
    [value] = combiner.extract_output(accumulator).values()
    assert value == pytest.approx(share, nan_ok=True)
