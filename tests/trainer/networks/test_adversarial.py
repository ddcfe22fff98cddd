"""The two networks, their common step, and that a seed is all that a picture follows from."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.adversarial import Adversarial, dcgan, latents


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (37, 50, 3), (64, 48, 3), (3, 5, 1)])
def test_networks_fit_pictures_of_any_size(shape: tuple[int, int, int]) -> None:
    generator, discriminator = dcgan(*shape, latent_size=5, filters=2)
    pictures = generator(tf.random.stateless_normal([3, 5], [0, 0]))
    assert pictures.shape == (3, *shape)
    assert float(tf.reduce_max(tf.abs(pictures))) <= 1.0
    assert discriminator(pictures).shape == (3, 1)


def test_a_seed_gives_one_noise_whatever_it_is_batched_with() -> None:
    noise = latents(tf.constant([7, -1, 7, 2**40], tf.int64), 2000).numpy()
    assert np.array_equal(noise[0], noise[2])
    assert np.array_equal(latents(tf.constant([2**40], tf.int64), 2000).numpy()[0], noise[3])
    assert abs(np.corrcoef(noise[[0, 1, 3]]) - np.eye(3)).max() < 0.1
    assert noise.mean() == pytest.approx(0, abs=0.05)
    assert noise.std() == pytest.approx(1, abs=0.05)


def small(seed: int = 0) -> Adversarial:
    tf.keras.utils.set_random_seed(seed)
    model = Adversarial(*dcgan(8, 8, 1, latent_size=4, filters=4), seed=seed)
    model.compile(1e-3)
    return model


def batches(pictures: np.ndarray, size: int = 16) -> Any:
    targets = {"image": pictures, "label": np.zeros(len(pictures), np.int64)}
    dataset = tf.data.Dataset.from_tensor_slices(({"seed": np.arange(len(pictures))}, targets))
    return dataset.repeat().batch(size)


def noisy(count: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), np.uint8)


def test_one_step_moves_both_networks_and_reports_both() -> None:
    model = small()
    before = [weights.copy() for weights in model.get_weights()]
    logs = model.fit(batches(noisy()), steps_per_epoch=1, verbose=0).history
    assert logs["loss"][0] == pytest.approx(logs["generator_loss"][0] + logs["discriminator_loss"][0], rel=1e-5)
    assert 0 < logs["real_score"][0] < 1 and 0 < logs["fake_score"][0] < 1
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert all(changed[: len(model.trainable_variables)])


def test_generated_pictures_come_to_be_as_bright_as_real_ones() -> None:
    model = small()
    bright = np.full((64, 8, 8, 1), 230, np.uint8)
    seeds = {"seed": tf.range(32, dtype=tf.int64)}
    before = float(tf.reduce_mean(model(seeds)))
    model.fit(batches(bright), steps_per_epoch=200, verbose=0)
    assert abs(before) < 0.2
    assert float(tf.reduce_mean(model(seeds))) > 0.5


def test_diversity_tells_a_collapsed_generator() -> None:
    model = small()
    varied = model.fit(batches(noisy()), steps_per_epoch=1, verbose=0).history["diversity"][0]
    model.generator.set_weights([np.zeros_like(weights) for weights in model.generator.get_weights()])
    collapsed = model.fit(batches(noisy()), steps_per_epoch=1, verbose=0).history["diversity"][0]
    assert varied > 0.01
    assert collapsed == pytest.approx(0, abs=1e-4)


def test_a_training_can_be_repeated() -> None:
    first, second = small(), small()
    for model in (first, second):
        model.fit(batches(noisy()), steps_per_epoch=3, verbose=0)
    seeds = {"seed": tf.range(4, dtype=tf.int64)}
    assert np.allclose(first(seeds), second(seeds), atol=1e-5)


def test_weights_fit_a_model_that_was_only_built() -> None:
    trained, built = small(), small(seed=1)
    trained.fit(batches(noisy()), steps_per_epoch=2, verbose=0)
    built.set_weights(trained.get_weights())
    seeds = {"seed": tf.range(4, dtype=tf.int64)}
    assert np.allclose(trained(seeds), built(seeds))


ON_TWO_REPLICAS = """
import numpy as np
from trainer.backend import tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from trainer.networks.adversarial import Adversarial, dcgan
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = Adversarial(*dcgan(8, 8, 1, latent_size=4, filters=4))
    model.compile(1e-3)
first, second = strategy.experimental_local_results(strategy.run(tf.function(lambda: model._noise(8))))
assert not np.allclose(first, second), "replicas share their noise"
data = tf.data.Dataset.from_tensors(
    ({"seed": np.arange(16)}, {"image": np.full((16, 8, 8, 1), 99, np.uint8)})).repeat()
losses = model.fit(data, steps_per_epoch=3, verbose=0).history
replicas = [strategy.experimental_local_results(v) for v in model.trainable_variables]
assert all(np.array_equal(a, b) for a, b in replicas), "replicas differ"
print(losses["loss"][0])
"""


def test_replicas_stay_equal_and_draw_noise_of_their_own() -> None:
    done = subprocess.run([sys.executable, "-c", ON_TWO_REPLICAS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert math.isfinite(float(done.stdout.split()[-1]))
