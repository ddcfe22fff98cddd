"""Sequence regression (question 3): from the last steps of a series, the value of the next.

Method: a stack of recurrent layers, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014) or the plain recurrent
network (Elman 1990), chosen by `cell`, then a dense layer, beside a linear autoregression (as in LSTNet, Lai et al.
2018). It reads 24 steps and says by how much the next value differs from the last (a residual forecast: no change is
the hard reference to beat). The linear part begins as the least-squares solution, the recurrent one as nothing to add.
Windows `[24]` float32 -> `forecast` float32, in the data's own unit.

A series is a time, a value and, if there are several series, their name; whatever other numbers stand in the row (up
to 16 columns) helps to tell. Columns go by the user's own names: `--set target=NAME` says which one is continued where
the table does not tell, `--set series=NAME` which one names the series. The spacing in time is even: seconds, working
days, months, quarters or years; a value alone is enough. A trend does not carry the network out of what it has seen,
since each window is measured from its last value, in units of its own usual change (instance normalisation; Kim et al.
2022).

References: no change, the value 24 steps before, and a linear autoregression by least squares.

Default data: a year of hourly weather at three airports (`weather`), temperatures in degrees Fahrenheit; the last fifth
of the time is for evaluation. A plain recurrent network's gradients vanish over many steps, which gates prevent in LSTM
and GRU; the next hour, though, follows from the last few (`python -m benchmarks.cells` compares the three).
Measured scores and seconds: `docs/results.md`. Command: `benison run sequence_regression`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from data.columns import Ahead, Companions, SeriesName, Timestamp, Window
from data.columns.timestamp import ROW_SECONDS
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.networks import outputs
from trainer.networks.recurrent import gru, lstm
from trainer.optimisers import optimizer
from trainer.preview import Curve, Preview, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

STEPS = 24
COMPANIONS = 16
CYCLES = (86_400.0, 7 * 86_400.0, 365.25 * 86_400.0)
"""A day, a week and a year, in seconds."""
MAX_SERIES_SHOWN = 12
FITTED = 20_000
"""Train examples at most that the linear part is fitted to at first."""
LEAST_SCALE = 0.05
"""Share of the train split's usual change below which no window's own is taken to lie."""


@dataclass(frozen=True)
class SequenceRegressionHParams(HParams):
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    units: int = field(default=32, metadata={"min": 1})
    layers: int = field(default=2, metadata={"min": 1, "max": 8})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    dropout: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})
    patience: int = field(default=5, metadata={"min": 1})
    target: str = ""
    """The column of the table that is continued, where its name does not tell."""
    series: str = ""
    """The column or columns, with commas between, that name the series; empty takes texts that repeat."""


class SequenceRegression(Task):
    title = "Sequence regression"
    questions = (3,)
    modality = "table"
    data = "weather"
    columns = {
        "series": SeriesName(description="which series a row belongs to"),
        "time": Timestamp(description="when, at an even spacing"),
        "value": Window(steps=STEPS, description="the series to be continued, in any unit"),
        "others": Companions(steps=STEPS, width=COMPANIONS, description="what else was measured then"),
        "next_value": Ahead(of="value", steps=1),
    }
    targets = ("next_value",)
    split_by = "time"
    HParams = SequenceRegressionHParams

    def column_names(self) -> Mapping[str, Sequence[str]]:
        named = {"value": self.hparams.target, "series": self.hparams.series}
        return {column: [name.strip() for name in names.split(",")] for column, names in named.items() if names}

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `value` float32 `[batch, 24]` as measured; `scale` float32 `[batch]`, the usual change from step to step in
          this window; `unit` float32 `[batch]`, the train split's usual change in units of `scale`; `window` float32
          `[batch, 24, 1 + COMPANIONS]`, the distance from the last value in units of `scale`, and each companion with
          mean 0 and variance 1; `cycles` float32 `[batch, 6]`, the time of day, of the week and of the year on circles;
          `next_value` float32 `[batch]`, the change to it in units of `scale`.
        """
        import tensorflow_transform as tft

        value = inputs["value"]
        last = value[:, -1]
        changes = tf.abs(value[:, 1:] - value[:, :-1])
        usual = tft.mean(changes)
        # Of a series that never changed in training every unit is as good as another.
        least = tf.where(usual > 0, LEAST_SCALE * usual, 1.0)
        scale = tf.maximum(tf.reduce_mean(changes, axis=1), least)
        others = tf.reshape(inputs["others"], [-1, STEPS, COMPANIONS])
        distance = (value - last[:, None]) / scale[:, None]
        features = {
            "value": value,
            "scale": scale,
            "unit": tf.where(usual > 0, usual, 1.0) / scale,
            "window": tf.concat([distance[..., None], tft.scale_to_z_score(others, elementwise=True)], axis=-1),
            "cycles": _cycles(inputs["time"]),
        }
        return features | {"next_value": (inputs["next_value"] - last) / scale}

    def build_model(self, spec: DataSpec) -> Any:
        layers, hparams = tf.keras.layers, self.hparams
        # All features, though `value` and `scale` are not used: Keras warns of what no input takes.
        inputs = {
            name: tf.keras.Input(one.shape, dtype=one.dtype, name=name)
            for name, one in spec.features.items()
            if name not in self.targets
        }
        recurrent = {"lstm": lstm, "gru": gru, "rnn": layers.SimpleRNN}[hparams.cell]
        # Far outliers of a window say little more than near ones, and carry gates and sums out of their range.
        x = tf.asinh(inputs["window"])
        for layer in range(hparams.layers):
            x = recurrent(hparams.units, return_sequences=layer < hparams.layers - 1)(x)
        unit = layers.Reshape((1,))(inputs["unit"])
        x = layers.Concatenate()([x, inputs["cycles"], tf.math.log(unit)])
        x = layers.Dense(hparams.units, activation="relu")(x)
        x = layers.Dropout(hparams.dropout)(x)
        learnt = layers.Dense(1, kernel_initializer="zeros", dtype="float32")(x)
        # What companions and calendar say does not grow with the noise of a window: it is in the split's unit.
        by_changes = layers.Dense(1, use_bias=False, dtype="float32", name="by_changes")
        by_moment = layers.Dense(1, dtype="float32", name="by_moment")
        window = inputs["window"]
        linear = by_changes(window[:, 1:, 0] - window[:, :-1, 0])
        linear += unit * by_moment(layers.Concatenate()([window[:, -1, 1:], inputs["cycles"]]))
        model = outputs.model_of(inputs, layers.Reshape(())(learnt + linear), target="next_value")
        fitted = Autoregression.of(spec.train(limit=FITTED))
        by_changes.set_weights([fitted.by_changes[:, None]])
        by_moment.set_weights([fitted.by_moment[:, None], np.array([fitted.constant])])
        model.compile(
            optimizer=optimizer(hparams, spec.steps, clip=5.0),
            loss=tf.keras.losses.MeanAbsoluteError(),
            jit_compile=hparams.xla,
        )
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        change = model(features, training=False)
        return {"forecast": features["value"][:, -1] + features["scale"] * change}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="forecast",
            label="next_value",
            raw_label=True,
            metrics=(Metric("mae", "AbsoluteError", "trainer.metrics.numbers"), Metric("rmse", "RootMeanSquaredError")),
            gates=(
                Gate("mae", higher_is_better=False, baseline_margin=0.02),
                Gate("rmse", higher_is_better=False, baseline_margin=0.05),
            ),
            slices=("series", "time_hour"),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """No change; the value 24 steps before, in hourly data the same hour yesterday; a linear autoregression."""
        change = evaluation["next_value"].astype(np.float64)
        before = evaluation["window"][:, 0, 0]  # 24 steps before what comes next, as a distance from the last value
        scale = evaluation["scale"].astype(np.float64)
        return {
            "persistence": _errors(scale * change),
            f"{STEPS} steps before": _errors(scale * (before - change)),
            "linear autoregression": _errors(scale * (Autoregression.of(train).changes(evaluation) - change)),
        }

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """Right means a scaled error (Hyndman & Koehler 2006) of at most 1."""
        forecast, truth = float(prediction["forecast"]), example.get("next_value")
        is_right = None if truth is None else abs(forecast - truth) <= _usual_change(example["value"])
        return assessment.of_number(truth, forecast, is_right)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The window and what follows. Right means a scaled error (Hyndman & Koehler 2006) of at most 1."""
        window, forecast, truth = example["value"], float(prediction["forecast"]), example.get("next_value")
        gap = [math.nan] * (len(window) - 1)
        series = {"measured": [*window, math.nan], "forecast": [*gap, window[-1], forecast]}
        shown = f"{_name(example)}: {window[-1]:.4g} → {forecast:.4g}"
        if truth is None:
            return Preview(shown, None, {}, (Curve(series, x_label="steps", y_label=self._unit),))
        series["truth"] = [*gap, window[-1], truth]
        usual = _usual_change(window)
        return Preview(
            title=f"{shown}, measured {truth:.4g}",
            correct=self.assess(example, prediction).correct,
            slice={"series": _series(example), "time_hour": str(example["time_hour"])},
            parts=(Curve(series, f"usual change in a step: {usual:.3g}", x_label="steps", y_label=self._unit),),
        )

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        """Truth and forecasts of each series, step by step, each forecast made one step before."""
        pairs_of: defaultdict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = defaultdict(list)
        for example, prediction in zip(examples, predictions, strict=True):
            pairs_of[_series(example)].append((example, prediction))
        shown = list(pairs_of.items())[:MAX_SERIES_SHOWN]
        return [self._forecasts(name, sorted(pairs, key=lambda pair: int(pair[0]["time"]))) for name, pairs in shown]

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.numbers(examples, predictions, truth="next_value", answer="forecast")

    def _forecasts(self, name: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Preview:
        series = {
            "truth": [float(example["next_value"]) for example, _ in pairs],
            "forecast": [float(prediction["forecast"]) for _, prediction in pairs],
        }
        curve = Curve(series, caption=f"from {_time(pairs[0][0])}", x_label="steps", y_label=self._unit)
        title = f"{name}: forecasts one step ahead" if name else "Forecasts one step ahead"
        return Preview(title, None, {"series": name} if name else {}, (curve,))

    @property
    def _unit(self) -> str:
        """What the axis of values is called."""
        return self.hparams.target or "value"


@dataclass(frozen=True)
class Autoregression:
    """A linear autoregression of the changes, with the companions and the calendar (Box & Jenkins 1970).

    Attributes:
      by_changes: float64 `[24 - 1]`, what each change within a window says of the next, in any unit.
      by_moment: float64 `[COMPANIONS + cycles]`, what companions and calendar say of it, in the train split's unit.
      constant: in that unit.
    """

    by_changes: np.ndarray
    by_moment: np.ndarray
    constant: float

    @classmethod
    def of(cls, train: Arrays) -> Autoregression:
        """Fitted by least squares in the data's own unit, with a little ridge."""
        from sklearn.linear_model import Ridge

        unit = train["unit"].astype(np.float64)
        x = np.concatenate([_changes(train) / unit[:, None], _moment(train)], axis=1)
        spread = x.std(axis=0)
        spread[spread == 0] = 1.0
        fitted = Ridge(alpha=1.0).fit(x / spread, train["next_value"] / unit)
        weights = fitted.coef_ / spread
        return cls(weights[: STEPS - 1], weights[STEPS - 1 :], float(fitted.intercept_))

    def changes(self, arrays: Arrays) -> np.ndarray:
        """The next changes that it expects, float64 `[examples]` in units of `scale`."""
        return _changes(arrays) @ self.by_changes + arrays["unit"] * (_moment(arrays) @ self.by_moment + self.constant)


def _changes(arrays: Arrays) -> np.ndarray:
    """Within each window, float64 `[examples, 24 - 1]` in units of `scale`."""
    return np.diff(arrays["window"][:, :, 0].astype(np.float64), axis=1)


def _moment(arrays: Arrays) -> np.ndarray:
    """The companions of each window's last row, and where it lies in the calendar: float32 `[examples, ...]`."""
    return np.concatenate([arrays["window"][:, -1, 1:], arrays["cycles"]], axis=1)


def _cycles(time: Any) -> Any:
    """Where on the circles of day, week and year moments in seconds lie: float32 `[batch, 2 * cycles]`."""
    # In float64: seconds since 1970 have more digits than float32 holds.
    turns = [tf.cast(time, tf.float64) / seconds for seconds in CYCLES]
    angles = [tf.cast(2 * math.pi * (turn - tf.floor(turn)), tf.float32) for turn in turns]
    return tf.stack([wave(angle) for angle in angles for wave in (tf.sin, tf.cos)], axis=-1)


def _errors(errors: Any) -> dict[str, float]:
    return {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt((errors**2).mean()))}


def _usual_change(window: Sequence[float]) -> float:
    """Of one step of it."""
    return float(np.abs(np.diff(window)).mean())


def _series(example: Mapping[str, Any]) -> str:
    return as_text(example["series"])


def _name(example: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (_series(example), _time(example))))


def _time(example: Mapping[str, Any]) -> str:
    seconds = int(example["time"])
    if seconds >= ROW_SECONDS and seconds % ROW_SECONDS == 0:
        return f"row {seconds // ROW_SECONDS}"
    return f"{np.datetime64(seconds, 's')} UTC".replace("T", " ", 1)
