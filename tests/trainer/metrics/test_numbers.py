"""Distances where they are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.metrics.numbers import AbsoluteError, MeanDifference, MeanDistance, mean

NAN = math.nan


def test_way_points_by_their_distance() -> None:
    truth = np.array([[0.0, 0.0, 3.0, 4.0]])
    assert mean(MeanDistance, truth, np.array([[[0.0, 2.0], [0.0, 0.0]]])) == pytest.approx((2 + 5) / 2)


def test_numbers_by_their_difference() -> None:
    assert mean(MeanDifference, np.array([0.5, -0.5]), np.array([0.0, 0.5])) == pytest.approx(0.75)


def test_what_nobody_recorded_does_not_count() -> None:
    assert mean(MeanDifference, np.array([NAN, 1.0]), np.array([5.0, 0.0])) == 1.0
    assert math.isnan(mean(MeanDistance, np.full((3, 4), NAN), np.zeros((3, 0, 2))))


def test_each_accumulator_counts_once_however_the_set_is_cut() -> None:
    [computation] = AbsoluteError().computations()
    combiner = computation.combiner
    errors = ([1.0], [2.0, 2.0], [6.0])
    parts = [np.sum([AbsoluteError.counts(np.zeros(1), np.array([e])) for e in part], axis=0) for part in errors]
    [value] = combiner.extract_output(combiner.merge_accumulators(parts)).values()
    assert value == pytest.approx(11 / 4)
