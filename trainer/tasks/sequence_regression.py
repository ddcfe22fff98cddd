"""Sequence regression (question 3): from the last steps of a series, the value of the next.

Method: a stack of recurrent layers, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014) or the plain recurrent
network (Elman 1990), chosen by `cell`, then a dense layer. It reads 24 steps of several measured columns and says by
how much the next temperature differs from the last (a residual forecast: no change is the hard reference to beat).
Windows `[24]` float32 a column -> `forecast` float32, in the data's own unit.

The series is what `temperature` holds, in any unit and at any even spacing in time; what stands beside it in `humidity`
and `wind_speed` helps to tell. Means, scales and the size of a usual change are the train split's.

Default data: a year of hourly weather at three airports (`weather`), in degrees Fahrenheit; the last fifth of the time
is for evaluation. A plain recurrent network's gradients vanish over many steps, which gates prevent in LSTM and GRU;
the next hour, though, follows from the last few, and the three come out within 0.01 degrees of each other
(`python -m benchmarks.cells`).
Measured scores and seconds: `docs/results.md`. Command: `benison run sequence_regression`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from data.columns import Ahead, Label, Timestamp, Window
from trainer.backend import tf
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Curve, Preview, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

MEASURED = ("temperature", "humidity", "wind_speed")
STEPS = 24
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class SequenceRegressionHParams(HParams):
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    units: int = field(default=32, metadata={"min": 1})
    layers: int = field(default=2, metadata={"min": 1, "max": 8})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})


class SequenceRegression(Task):
    title = "Sequence regression"
    questions = (3,)
    modality = "table"
    data = "weather"
    columns = {
        "airport": Label(description="where it was measured: the name of the series"),
        "time": Timestamp(description="when, at an even spacing"),
        "temperature": Window(steps=STEPS, description="the series to be continued, in any unit"),
        "humidity": Window(steps=STEPS, description="what else was measured then"),
        "wind_speed": Window(steps=STEPS, description="what else was measured then"),
        "next_temperature": Ahead(of="temperature", steps=1),
    }
    targets = ("next_temperature",)
    split_by = "time"
    HParams = SequenceRegressionHParams

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `temperature` float32 `[batch, 24]` as measured; `window` float32 `[batch, 24, columns]`, each column with
          mean 0 and variance 1; `hour` float32 `[batch, 2]`, the time of day on a circle; `scale` float32 `[batch]`,
          how much temperatures differ from step to step; `next_temperature` float32 `[batch]`, the change to it in
          units of `scale`.
        """
        import tensorflow_transform as tft

        temperature = inputs["temperature"]
        last = temperature[:, -1]
        deviation = tf.sqrt(tft.var(temperature[:, 1:] - temperature[:, :-1]))
        scale = tf.zeros_like(last) + tf.where(deviation > 0, deviation, 1.0)  # a constant series has none
        day = tf.cast(inputs["time"] % SECONDS_A_DAY, tf.float32) * (2 * math.pi / SECONDS_A_DAY)
        features = {
            "temperature": temperature,
            "window": tf.stack([tft.scale_to_z_score(inputs[name]) for name in MEASURED], axis=-1),
            "hour": tf.stack([tf.sin(day), tf.cos(day)], axis=-1),
            "scale": scale,
        }
        return features | {"next_temperature": (inputs["next_temperature"] - last) / scale}

    def build_model(self, spec: DataSpec) -> Any:
        layers, hparams = tf.keras.layers, self.hparams
        # All features, though `temperature` and `scale` are not used: Keras warns of what no input takes.
        inputs = {
            name: tf.keras.Input(one.shape, dtype=one.dtype, name=name)
            for name, one in spec.features.items()
            if name not in self.targets
        }
        recurrent = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}[hparams.cell]
        x = inputs["window"]
        for layer in range(hparams.layers):
            x = recurrent(hparams.units, return_sequences=layer < hparams.layers - 1)(x)
        x = layers.Concatenate()([x, inputs["hour"]])
        x = layers.Dense(hparams.units, activation="relu")(x)
        change = layers.Reshape(())(layers.Dense(1, dtype="float32")(x))
        model = outputs.model_of(inputs, change, target="next_temperature")
        model.compile(
            optimizer=optimizer(hparams, spec.steps),
            loss=tf.keras.losses.MeanAbsoluteError(),
            jit_compile=hparams.xla,
        )
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        change = model(features, training=False)
        return {"forecast": features["temperature"][:, -1] + features["scale"] * change}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="forecast",
            label="next_temperature",
            raw_label=True,
            metrics=(Metric("mae", "MeanAbsoluteError"), Metric("rmse", "RootMeanSquaredError")),
            gates=(
                Gate("mae", higher_is_better=False, baseline_margin=0.02),
                Gate("rmse", higher_is_better=False, baseline_margin=0.05),
            ),
            slices=("airport", "time_hour"),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """No change, and the value 24 steps before the one to be told: in hourly data, the same hour yesterday."""
        temperature = evaluation["temperature"].astype(np.float64)
        truth = temperature[:, -1] + evaluation["scale"] * evaluation["next_temperature"]
        return {
            "persistence": _errors(temperature[:, -1] - truth),
            f"{STEPS} steps before": _errors(temperature[:, -STEPS] - truth),
        }

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The window and what follows. Right means a scaled error (Hyndman & Koehler 2006) of at most 1."""
        window, forecast, truth = example["temperature"], float(prediction["forecast"]), example.get("next_temperature")
        gap = [math.nan] * (len(window) - 1)
        series = {"measured": [*window, math.nan], "forecast": [*gap, window[-1], forecast]}
        shown = f"{_name(example)}: {window[-1]:.4g} → {forecast:.4g}"
        if truth is None:
            return Preview(shown, None, {}, (Curve(series, x_label="steps", y_label="temperature"),))
        series["truth"] = [*gap, window[-1], truth]
        usual = float(np.abs(np.diff(window)).mean())
        return Preview(
            title=f"{shown}, measured {truth:.4g}",
            correct=abs(forecast - truth) <= usual,
            slice={"airport": as_text(example["airport"]), "time_hour": str(example["time_hour"])},
            parts=(Curve(series, f"usual change in a step: {usual:.3g}", x_label="steps", y_label="temperature"),),
        )

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        """Truth and forecasts of the first series, step by step, each forecast made one step before."""
        airport = examples[0]["airport"]
        pairs = [pair for pair in zip(examples, predictions, strict=True) if pair[0]["airport"] == airport]
        pairs.sort(key=lambda pair: pair[0]["time"])
        series = {
            "truth": [example["next_temperature"] for example, _ in pairs],
            "forecast": [float(prediction["forecast"]) for _, prediction in pairs],
        }
        curve = Curve(series, caption=f"from {_time(pairs[0][0])}", x_label="steps", y_label="temperature")
        return [Preview(f"{as_text(airport)}: forecasts one step ahead", None, {"airport": as_text(airport)}, (curve,))]


def _errors(errors: Any) -> dict[str, float]:
    return {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt((errors**2).mean()))}


def _name(example: Mapping[str, Any]) -> str:
    return f"{as_text(example['airport'])}, {_time(example)}"


def _time(example: Mapping[str, Any]) -> str:
    return f"{np.datetime64(int(example['time']), 's')} UTC".replace("T", " ", 1)
