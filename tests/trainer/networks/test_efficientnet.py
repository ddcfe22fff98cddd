"""The network on made-up weights, and on ImageNet's where they have been fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.assets.efficientnet_lite0 import ASSET
from data.sources import assets
from tests.samples import made_up_tensors
from trainer.backend import tf
from trainer.networks import efficientnet


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / assets.FILE
    np.savez(file, **made_up_tensors(ASSET.tensors))
    return file


@pytest.fixture(scope="module")
def network(weights: Path) -> Any:
    return efficientnet.efficientnet_lite0(weights)


def test_each_layer_has_the_tensor_of_its_name_and_gives_it_back(network: Any, weights: Path) -> None:
    given, found = assets.read_tensors(weights), efficientnet.tensors_of(network)
    assert set(found) == set(ASSET.tensors)
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, given[name], err_msg=name)


def test_pictures_of_any_size_give_features_at_several_depths(network: Any) -> None:
    outputs = [network.get_layer(name).output for name in efficientnet.DEPTHS]
    at_depths = tf.keras.Model(network.input, outputs)
    height, width = 75, 110
    for (name, stride), features in zip(
        efficientnet.DEPTHS.items(), at_depths(np.zeros((2, height, width, 3), np.uint8)), strict=True
    ):
        assert features.shape[:3] == (2, -(-height // stride), -(-width // stride)), name
        assert float(tf.reduce_min(features)) >= 0.0, "rectified"


def test_the_stem_is_what_the_paper_says(network: Any, weights: Path) -> None:
    """Scaled pixels, padding as TensorFlow's `same`, statistics of the file, ReLU6: by numpy."""
    picture = np.random.default_rng(1).integers(0, 256, (1, 8, 8, 3), np.uint8)
    tensors = assets.read_tensors(weights)
    scaled = np.pad((picture[0] - 127.0) / 128.0, ((0, 1), (0, 1), (0, 0)))  # an even side: one pixel behind
    patches = np.lib.stride_tricks.sliding_window_view(scaled, (3, 3), axis=(0, 1))[::2, ::2]
    expected = np.einsum("hwcij,ijco->hwo", patches, tensors["stem_conv/kernel"])
    gamma, beta, mean, variance = (
        tensors[f"stem_bn/{name}"] for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    expected = np.clip((expected - mean) / np.sqrt(variance + 1e-3) * gamma + beta, 0, 6)
    found = tf.keras.Model(network.input, network.get_layer("stem_activation").output)(picture)
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(assets.cached(ASSET.name) is None, reason="`benison data prepare efficientnet_lite0` fetches it")
def test_with_the_weights_of_the_catalogue_a_cat_is_an_egyptian_cat() -> None:
    from skimage import data

    file = assets.cached(ASSET.name)
    assert file is not None
    tensors, photo = assets.read_tensors(file), data.chelsea()[:, 75:375]
    picture = tf.image.resize(photo[None], (224, 224), antialias=True)
    features = tf.reduce_mean(efficientnet.efficientnet_lite0(file)(picture), axis=(1, 2))
    logits = features.numpy() @ tensors["classes/kernel"] + tensors["classes/bias"]
    assert int(np.argmax(logits)) == 285
