"""The task's own parts: forecasts in the data's unit, the references, what people see."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from data.errors import WrongUse
from pipelines.settings import apply_overrides
from trainer.backend import tf
from trainer.preview import Curve
from trainer.task import DataSpec
from trainer.tasks.sequence_regression import SequenceRegression, SequenceRegressionHParams

SPEC = DataSpec(
    features={
        "temperature": tf.TensorSpec([24], tf.float32),
        "window": tf.TensorSpec([24, 3], tf.float32),
        "hour": tf.TensorSpec([2], tf.float32),
        "scale": tf.TensorSpec([], tf.float32),
        "next_temperature": tf.TensorSpec([], tf.float32),
    },
    vocabularies={},
    num_train_examples=4,
    steps=60,
    train=dict,
)


def task_with(**hparams: Any) -> SequenceRegression:
    return SequenceRegression(SequenceRegressionHParams(**hparams))


def features(count: int, start: float, step: float) -> dict[str, np.ndarray]:
    """Ramps that rise by `step`, which is also the scale of changes."""
    temperature = (start + step * (np.arange(count)[:, None] + np.arange(24))).astype(np.float32)
    return {
        "temperature": temperature,
        "window": np.repeat((temperature - start)[..., None] / (step * count), 3, axis=-1),
        "hour": np.tile(np.array([0, 1], np.float32), (count, 1)),
        "scale": np.full(count, step, np.float32),
    }


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_forecasts_of_what_was_learnt_are_in_the_datas_unit(cell: Any) -> None:
    task = task_with(cell=cell, units=4, layers=2, learning_rate=0.03)
    tf.keras.utils.set_random_seed(0)
    model = task.build_model(SPEC)
    pascals = features(32, start=101_000, step=50)
    model.fit(
        pascals, {"next_temperature": np.ones(32, np.float32)}, batch_size=32, epochs=60, verbose=0
    )  # each next one is a step higher
    forecast = task.predict(model, {name: tf.constant(one) for name, one in pascals.items()}, SPEC)["forecast"]
    assert forecast.shape == (32,) and forecast.dtype == tf.float32
    assert np.abs(forecast - (pascals["temperature"][:, -1] + 50)).max() < 10


def test_another_cell_than_there_is_is_refused_with_those_there_are() -> None:
    with pytest.raises(WrongUse, match="one of lstm, gru, rnn"):
        apply_overrides(SequenceRegressionHParams, {"cell": "transformer"})


def test_references_have_the_errors_of_the_last_value_and_of_the_one_a_day_before() -> None:
    evaluation = features(2, start=10, step=2) | {
        "next_temperature": np.array([1.5, -2], np.float32)
    }  # changes of 3 and -4
    scores = task_with().reference({}, evaluation, SPEC)
    assert scores["persistence"] == pytest.approx({"mae": 3.5, "rmse": math.sqrt((9 + 16) / 2)})
    assert scores["24 steps before"] == pytest.approx({"mae": (49 + 42) / 2, "rmse": math.sqrt((49**2 + 42**2) / 2)})


def example(hour: int, airport: bytes = b"LGA", **more: Any) -> dict[str, Any]:
    ramp = [50.0 + 2 * step for step in range(24)]
    return {"airport": airport, "time": 3600 * hour, "time_hour": hour, "temperature": ramp, **more}


@pytest.mark.parametrize(("forecast", "correct"), [(96.0, True), (99.9, True), (100.5, False), (95.5, False)])
def test_a_forecast_is_right_if_off_by_no_more_than_a_usual_change(forecast: float, correct: bool) -> None:
    preview = task_with().preview(example(5, next_temperature=98.0), {"forecast": np.float32(forecast)})
    [curve] = preview.parts
    assert isinstance(curve, Curve)
    assert preview.correct is correct
    assert preview.slice == {"airport": "LGA", "time_hour": "5"}
    assert curve.series["forecast"][-2:] == pytest.approx([96.0, forecast]) and curve.series["truth"][-1] == 98.0
    assert {len(values) for values in curve.series.values()} == {25}


def test_without_a_truth_only_the_forecast_is_drawn() -> None:
    preview = task_with().preview({"airport": b"LGA", "time": 0, "temperature": [1.0] * 24}, {"forecast": 2.0})
    [curve] = preview.parts
    assert isinstance(curve, Curve)
    assert preview.correct is None and set(curve.series) == {"measured", "forecast"}


def test_the_overview_follows_one_series_through_time() -> None:
    examples = [
        example(2, next_temperature=72.0),
        example(1, b"JFK", next_temperature=0.0),
        example(1, next_temperature=71.0),
    ]
    predictions = [{"forecast": np.float32(value)} for value in (70, 0, 69)]
    [preview] = task_with().overview(examples, predictions)
    [curve] = preview.parts
    assert isinstance(curve, Curve)
    assert curve.series == {"truth": [71.0, 72.0], "forecast": [69.0, 70.0]}
