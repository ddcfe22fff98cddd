"""What a training tells of itself by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer import curve_recorder
from trainer.backend import tf
from trainer.curve_recorder import recorder
from trainer.curves import FILE, Curves, Series
from trainer.optimisers import adam, schedule

STEPS, BATCH = 6, 4
LEARNING_RATE = schedule(0.1, 4 * STEPS, warmup=2)


@pytest.fixture(autouse=True)
def every_step_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve_recorder, "SECONDS_BETWEEN_POINTS", 0.0)


class Means(tf.keras.metrics.RootMeanSquaredError):
    """No plain mean, though Keras derives it from one."""


@pytest.fixture(scope="module")
def model() -> Any:
    made = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False, input_shape=[2])])
    made.compile(adam(LEARNING_RATE, clip=1e-3), "mse", metrics=["mae", Means(name="rmse")])
    return made


X = np.arange(2 * STEPS * BATCH, dtype=np.float32).reshape(-1, 2)
Y = X.sum(axis=1)


class Losses(tf.keras.callbacks.Callback):
    """Each batch's own loss, computed before the step, and the norm of its gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.norms: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        chosen = slice(batch * BATCH, (batch + 1) * BATCH)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.model(X[chosen])[:, 0] - Y[chosen]) ** 2)
        self.losses.append(float(loss))
        self.norms.append(float(tf.linalg.global_norm(tape.gradient(loss, self.model.trainable_variables))))


def trained(model: Any, file: Path, epochs: int, first: int = 0) -> tuple[Series, Series, Losses]:
    own = Losses()
    found = Curves(file)
    model.fit(
        *(X, Y),
        batch_size=BATCH,
        shuffle=False,
        epochs=epochs,
        initial_epoch=first,
        validation_data=(X, Y),
        verbose=0,
        callbacks=[own, recorder(found, STEPS)],
    )
    return found.kept["training"], found.kept["held_out"], own


def test_each_point_is_of_its_own_steps_and_a_training_goes_on_where_it_was(model: Any, tmp_path: Path) -> None:
    training, held_out, own = trained(model, tmp_path / FILE, epochs=2)
    assert training["steps"] == list(range(1, 2 * STEPS + 1)) and training["seconds"] == sorted(training["seconds"])
    assert training["values"]["loss"] == pytest.approx(own.losses, rel=1e-3)  # not the mean since the round began
    assert training["values"]["gradient_norm"] == pytest.approx(own.norms, rel=1e-4)  # before it is clipped
    rates = [float(LEARNING_RATE(step)) for step in range(2 * STEPS)]
    assert training["values"]["learning_rate"] == pytest.approx(rates, rel=1e-4, abs=1e-7)
    assert set(training["values"]) == {"loss", "mae", "rmse", "learning_rate", "gradient_norm"}
    assert held_out["steps"] == [STEPS, 2 * STEPS] and set(held_out["values"]) == {"loss", "mae", "rmse"}
    assert training["seconds"][STEPS - 1] <= held_out["seconds"][0] <= training["seconds"][STEPS]

    again, *_ = trained(model, tmp_path / FILE, epochs=3, first=1)  # the second round is trained once more
    assert again["steps"] == list(range(1, 3 * STEPS + 1)) and again["seconds"] == sorted(again["seconds"])
    assert again["values"]["loss"][:STEPS] == training["values"]["loss"][:STEPS]
    assert again["values"]["loss"][STEPS] != training["values"]["loss"][STEPS]


def test_points_are_few_where_steps_are_fast_and_a_round_ends_with_one(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve_recorder, "SECONDS_BETWEEN_POINTS", 1000.0)
    training, _, own = trained(model, tmp_path / FILE, epochs=2)
    assert training["steps"][-2:] == [STEPS, 2 * STEPS] and len(training["steps"]) <= 3
    assert training["values"]["loss"][-1] == pytest.approx(np.mean(own.losses[STEPS:]), rel=1e-3)


def test_networks_that_train_against_each_other_have_a_rate_and_a_norm_each(tmp_path: Path) -> None:
    from trainer.networks.adversarial import Adversarial, dcgan

    model = Adversarial(*dcgan(8, 8, 1, 2, 2))
    model.compile(1e-3)
    found = Curves(tmp_path / FILE)
    batch = ({"seed": np.zeros(4, np.int64)}, {"image": np.zeros([4, 8, 8, 1], np.uint8)})
    model.fit(tf.data.Dataset.from_tensors(batch), verbose=0, callbacks=[recorder(found, 1)])
    values = found.kept["training"]["values"]
    for network in ("generator", "discriminator"):
        assert values[f"{network}_learning_rate"] == [pytest.approx(1e-3)]
        assert values[f"{network}_gradient_norm"][0] > 0  # type: ignore[operator]
    assert "learning_rate" not in values and found.kept["held_out"]["steps"] == []
