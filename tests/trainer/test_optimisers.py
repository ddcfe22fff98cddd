"""The learning rate by step."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.source_digest import PACKAGES
from trainer.backend import tf
from trainer.optimisers import adam, loss_scaled, optimizer, optimizers_of, schedule
from trainer.task import HParams


def test_without_warm_up_it_begins_at_the_highest_and_falls_to_a_hundredth() -> None:
    rate = schedule(0.5, 100)
    assert [float(rate(step)) for step in (0, 50, 100, 200)] == pytest.approx([0.5, 0.2525, 0.005, 0.005])


def test_warm_up_rises_from_nothing_within_a_tenth_of_all_steps() -> None:
    rate = schedule(0.5, 100, warmup=1000)
    assert [float(rate(step)) for step in (0, 5, 10)] == pytest.approx([0.0, 0.25, 0.5])
    assert float(rate(100)) == pytest.approx(0.005)


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_training_of_few_steps_has_a_rate_above_zero_in_the_end(steps: int) -> None:
    assert float(schedule(0.5, steps, warmup=200)(steps + 1)) > 0


def test_gradients_are_clipped_where_asked() -> None:
    assert optimizer(HParams(), 10).global_clipnorm is None
    assert optimizer(HParams(), 10, clip=2.0).global_clipnorm == 2.0


class OfSeveralWorkers:
    """As a variable that several workers have: to ask it for anything makes all of them add it up."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"asked for {name}")


def test_a_models_optimisers_are_found_and_its_variables_left_alone() -> None:
    model = SimpleNamespace(optimizer=adam(0.1), plain=tf.keras.optimizers.SGD(0.1), threshold=OfSeveralWorkers())
    assert optimizers_of(model) == {"optimizer": model.optimizer}
    model.optimizer = tf.keras.mixed_precision.LossScaleOptimizer(adam(0.1))
    assert optimizers_of(model) == {"optimizer": model.optimizer.inner_optimizer}


def test_no_module_makes_an_optimiser_of_its_own() -> None:
    root = Path(__file__).parents[2]
    files = [file for package in PACKAGES for file in (root / package).rglob("*.py")]
    own = {file.name for file in files if re.search(r"optimizers\.(?!schedules)", file.read_text(encoding="utf-8"))}
    assert len(files) > 100 and own == {"optimisers.py"}


def test_half_precision_scales_the_loss_of_what_is_called_by_hand() -> None:
    rate = adam(1e-3, momentum=0.5)
    assert loss_scaled(rate) is rate and rate.beta_1 == 0.5
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        assert isinstance(loss_scaled(rate), tf.keras.mixed_precision.LossScaleOptimizer)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
