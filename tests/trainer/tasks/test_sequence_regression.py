"""The task's own parts: forecasts in the data's unit, the references, what people see."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from data.columns.timestamp import ROW_SECONDS
from data.errors import WrongUse
from pipelines.settings import apply_overrides
from trainer.backend import tf
from trainer.preview import Curve
from trainer.task import DataSpec
from trainer.tasks.sequence_regression import (
    COMPANIONS,
    STEPS,
    Autoregression,
    SequenceRegression,
    SequenceRegressionHParams,
)

WIDTH = 1 + COMPANIONS
SPEC = DataSpec(
    features={
        "value": tf.TensorSpec([STEPS], tf.float32),
        "window": tf.TensorSpec([STEPS, WIDTH], tf.float32),
        "cycles": tf.TensorSpec([6], tf.float32),
        "scale": tf.TensorSpec([], tf.float32),
        "unit": tf.TensorSpec([], tf.float32),
        "next_value": tf.TensorSpec([], tf.float32),
    },
    vocabularies={},
    num_train_examples=4,
    steps=60,
    train=lambda limit: noise(limit),
)


def noise(limit: int, seed: int = 0) -> dict[str, np.ndarray]:
    """A random walk, of which nothing is to be foretold."""
    level = np.cumsum(np.random.default_rng(seed).normal(size=min(limit, 400)))
    return of_series(level)


def of_series(level: np.ndarray) -> dict[str, np.ndarray]:
    """The transformed windows of one series whose usual change is 1."""
    windows = np.lib.stride_tricks.sliding_window_view(level, STEPS)[:-1]
    return {
        "window": np.pad((windows - windows[:, -1:])[..., None], ((0, 0), (0, 0), (0, COMPANIONS))),
        "scale": np.ones(len(windows)),
        "unit": np.ones(len(windows)),
        "cycles": np.zeros((len(windows), 6)),
        "next_value": level[STEPS:] - windows[:, -1],
    }


def task_with(**hparams: Any) -> SequenceRegression:
    return SequenceRegression(SequenceRegressionHParams(**hparams))


def features(count: int, start: float, step: float) -> dict[str, np.ndarray]:
    """Ramps that rise by `step`, which is also the scale of changes."""
    value = (start + step * (np.arange(count)[:, None] + np.arange(STEPS))).astype(np.float32)
    window = np.zeros((count, STEPS, WIDTH), np.float32)
    window[:, :, 0] = (value - value[:, -1:]) / step
    return {
        "value": value,
        "window": window,
        "cycles": np.tile(np.array([0, 1] * 3, np.float32), (count, 1)),
        "scale": np.full(count, step, np.float32),
        "unit": np.ones(count, np.float32),
    }


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_forecasts_of_what_was_learnt_are_in_the_datas_unit(cell: Any) -> None:
    task = task_with(cell=cell, units=4, layers=2, learning_rate=0.03)
    tf.keras.utils.set_random_seed(0)
    model = task.build_model(SPEC)
    pascals = features(32, start=101_000, step=50)
    model.fit(
        pascals, {"next_value": np.ones(32, np.float32)}, batch_size=32, epochs=60, verbose=0
    )  # each next one is a step higher
    forecast = task.predict(model, {name: tf.constant(one) for name, one in pascals.items()}, SPEC)["forecast"]
    assert forecast.shape == (32,) and forecast.dtype == tf.float32
    assert np.abs(forecast - (pascals["value"][:, -1] + 50)).max() < 10


def test_another_cell_than_there_is_is_refused_with_those_there_are() -> None:
    with pytest.raises(WrongUse, match="one of lstm, gru, rnn"):
        apply_overrides(SequenceRegressionHParams, {"cell": "transformer"})


def test_references_are_no_change_the_value_a_day_before_and_an_autoregression() -> None:
    changes = {"next_value": np.array([1.5, -2], np.float32)}  # 3 and -4 in the data's unit
    train = features(40, start=10, step=2) | {"next_value": np.ones(40, np.float32)}
    scores = task_with().reference(train, features(2, start=10, step=2) | changes, SPEC)
    assert scores["persistence"] == pytest.approx({"mae": 3.5, "rmse": math.sqrt((9 + 16) / 2)})
    assert scores["24 steps before"] == pytest.approx({"mae": (49 + 42) / 2, "rmse": math.sqrt((49**2 + 42**2) / 2)})
    assert scores["linear autoregression"] == pytest.approx({"mae": 3.5, "rmse": math.sqrt((1 + 36) / 2)}, rel=0.05)


def test_the_autoregression_finds_the_coefficient_of_one() -> None:
    rng = np.random.default_rng(0)
    changes = np.zeros(400)
    for i in range(1, 400):
        changes[i] = 0.8 * changes[i - 1] + rng.normal()
    arrays = of_series(np.cumsum(changes))
    expected = 0.8 * (arrays["window"][:, -1, 0] - arrays["window"][:, -2, 0])
    assert np.abs(Autoregression.of(arrays).changes(arrays) - expected).mean() < 0.35 * np.abs(expected).mean()


def test_an_untrained_model_forecasts_as_the_autoregression_does() -> None:
    changes = np.zeros(400)
    for i, shock in enumerate(np.random.default_rng(1).normal(size=399), 1):
        changes[i] = 0.8 * changes[i - 1] + shock
    arrays = of_series(np.cumsum(changes))
    model = task_with().build_model(dataclasses.replace(SPEC, train=lambda limit: arrays))
    fed = {name: tf.constant(array, tf.float32) for name, array in arrays.items()} | {"value": tf.zeros([376, STEPS])}
    answered = model({name: fed[name] for name in SPEC.features if name != "next_value"})
    np.testing.assert_allclose(answered, Autoregression.of(arrays).changes(arrays), atol=1e-4)


def example(hour: int, series: bytes = b"LGA", **more: Any) -> dict[str, Any]:
    ramp = [50.0 + 2 * step for step in range(24)]
    return {"series": series, "time": 3600 * hour, "time_hour": hour, "value": ramp, **more}


@pytest.mark.parametrize(("forecast", "correct"), [(96.0, True), (99.9, True), (100.5, False), (95.5, False)])
def test_a_forecast_is_right_if_off_by_no_more_than_a_usual_change(forecast: float, correct: bool) -> None:
    preview = task_with().preview(example(5, next_value=98.0), {"forecast": np.float32(forecast)})
    [curve] = preview.parts
    assert isinstance(curve, Curve)
    assert preview.correct is correct
    assert preview.slice == {"series": "LGA", "time_hour": "5"}
    assert curve.series["forecast"][-2:] == pytest.approx([96.0, forecast]) and curve.series["truth"][-1] == 98.0
    assert {len(values) for values in curve.series.values()} == {25}


def test_without_a_truth_only_the_forecast_is_drawn() -> None:
    preview = task_with().preview({"series": b"LGA", "time": 0, "value": [1.0] * 24}, {"forecast": 2.0})
    [curve] = preview.parts
    assert isinstance(curve, Curve)
    assert preview.correct is None and set(curve.series) == {"measured", "forecast"}


def test_the_overview_follows_each_series_through_time() -> None:
    examples = [
        example(2, next_value=72.0),
        example(1, b"JFK", next_value=0.0),
        example(1, next_value=71.0),
    ]
    predictions = [{"forecast": np.float32(value)} for value in (70, 0, 69)]
    first, second = task_with(target="degrees").overview(examples, predictions)
    [curve] = first.parts
    assert isinstance(curve, Curve)
    assert curve.series == {"truth": [71.0, 72.0], "forecast": [69.0, 70.0]} and curve.y_label == "degrees"
    assert second.title.startswith("JFK")


def test_a_row_without_a_time_is_named_by_its_number() -> None:
    preview = task_with().preview(example(0, b"") | {"time": 7 * ROW_SECONDS}, {"forecast": np.float32(1)})
    assert preview.title.startswith("row 7:")


def test_the_report_draws_the_errors_of_forecasts() -> None:
    [plot] = task_with().plots([example(0, next_value=20.0)], [{"forecast": np.float32(21.5)}])
    assert plot["title"] == "Errors" and "Mean 1.5" in plot["note"]
