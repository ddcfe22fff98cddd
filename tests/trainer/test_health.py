"""A model that has died, or answers the same for everything, is told from one that lives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BenisonError
from trainer import health
from trainer.backend import tf
from trainer.task import HParams

EXAMPLES, CLASSES = 32, 5


def batch() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return tf.constant(rng.normal(size=(EXAMPLES, 4)), tf.float32), tf.constant(np.arange(EXAMPLES) % CLASSES)


def network(bias: float = 0.0) -> Any:
    """A classifier whose hidden units see a bias; a very negative one kills them."""
    layers = tf.keras.layers
    tf.keras.utils.set_random_seed(0)
    start = tf.keras.initializers.Constant(bias)
    hidden = layers.Dense(8, "relu", bias_initializer=start, name="hidden")
    return tf.keras.Sequential([layers.Input([4]), hidden, layers.Dense(CLASSES, bias_initializer="random_normal")])


class Unusual(tf.keras.Model):
    """As a GAN or a translator: what it learns to answer is no call on its inputs, and its layers lie deeper."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def answers(self, features: Any, targets: Any) -> Any:
        return self.inner(features) + 0 * tf.cast(targets, tf.float32)[:, None]


def test_a_living_model_is_well() -> None:
    assert health.look(network(), *batch()) == ""


@pytest.mark.parametrize("model", [network(-100.0), Unusual(network(-100.0))])
def test_a_dead_model_answers_one_class_for_everything_and_the_layer_is_named(model: Any) -> None:
    assert health.look(model, *batch()) == (
        "answers one class for everything: no unit of the layer 'hidden' is active on any held-out example"
    )


def test_a_dead_layer_beside_a_living_path_is_named() -> None:
    layers = tf.keras.layers
    given = tf.keras.Input([4])
    dead = layers.Dense(8, "relu", bias_initializer=tf.keras.initializers.Constant(-100.0), name="hidden")(given)
    model = tf.keras.Model(given, layers.Dense(CLASSES)(layers.Concatenate()([given, dead])))
    assert health.look(model, *batch()).startswith("has a dead layer: no unit of the layer 'hidden'")


def test_the_same_answer_is_right_where_all_examples_have_the_same_truth() -> None:
    features, labels = batch()
    model = tf.keras.Sequential([tf.keras.layers.Input([4]), tf.keras.layers.Dense(1, kernel_initializer="zeros")])
    assert health.look(model, features, tf.cast(labels, tf.float32)) == "answers the same for everything"
    assert health.look(model, features, tf.zeros_like(labels)) == ""


def test_looking_leaves_the_model_as_it_was() -> None:
    model = network()
    calls = [layer.call for layer in model.layers]
    health.look(model, *batch())
    assert [layer.call for layer in model.layers] == calls


@dataclass
class Trained:
    hparams: HParams


def watched(model: Any, rounds: int, monkeypatch: pytest.MonkeyPatch, **callbacks: Any) -> Any:
    monkeypatch.setattr(health, "held_out_batch", lambda task, examples: batch())
    watch = health.watch(Trained(HParams(learning_rate=3e-3)), None)  # type: ignore[arg-type]
    model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with_watch = [*callbacks.get("before", []), watch]
    return watch, model.fit(*batch(), epochs=rounds, verbose=0, callbacks=with_watch)


def test_training_of_a_dead_model_is_stopped_early_with_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    watch, history = watched(network(-100.0), 20, monkeypatch)
    assert len(history.epoch) == health.PATIENCE
    watch.health.write(tmp_path)
    record = json.loads((tmp_path / health.FILE).read_text())
    assert not record["ok"]
    assert record["finding"].startswith("answers one class for everything")
    assert "--set learning_rate=0.0003" in record["advice"]


def test_flat_early_rounds_are_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(-100.0)

    class Revival(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == health.PATIENCE - 1:
                model.layers[0].bias.assign(tf.zeros([8]))

    watch, history = watched(model, 10, monkeypatch, before=[Revival()])
    assert len(history.epoch) == 10
    assert watch.health == health.Health()


@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
def test_a_loss_that_is_not_finite_fails_the_training(bad: float) -> None:
    with pytest.raises(BenisonError, match="training diverged: val_loss is not a finite number at step 70"):
        health.refuse_non_finite({"loss": [1.0, 0.5], "val_loss": [1.0, bad]}, [], 70)


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
def test_a_weight_that_is_not_finite_fails_the_training(bad: float) -> None:
    weights = [tf.Variable([1, 2]), tf.Variable([0.0, bad])]
    with pytest.raises(BenisonError, match="a weight is not a finite number") as caught:
        health.refuse_non_finite({"loss": [1.0]}, weights, 70)
    assert "learning_rate" in str(caught.value.fix)
    health.refuse_non_finite({"loss": [1.0]}, weights[:1], 70)
