"""EfficientNet-Lite0 (Tan & Le 2019; Lite: Google 2020), with the tensors of the asset `efficientnet_lite0`.

The names of layers are those of the asset's tensors, which `data/assets/efficientnet_lite0.py` lists. Pictures of any
size: in height and width the outputs of the layers are the picture's, halved and rounded up once for each stride of 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.assets.efficientnet_lite0 import BLOCKS, HEAD, STEM, Block
from data.sources.assets import read_tensors
from trainer.backend import tf

MEAN, SCALE = 127.0, 128.0
"""Pixels reach the network as (pixel - MEAN) / SCALE."""

EPSILON = 1e-3
"""Of the normalisations."""

HEAD_ACTIVATION = "head_activation"
"""Layer of the last feature maps, `[batch, height / 32, width / 32, 1280]`, not below 0."""

DEPTHS = {
    "block01_depthwise_activation": 2,
    "block02_expand_activation": 2,
    "block04_expand_activation": 4,
    "block06_expand_activation": 8,
    "block12_expand_activation": 16,
    HEAD_ACTIVATION: 32,
}
"""Layers of rectified features (ReLU6) at several depths -> by how much smaller than the picture they are: the last at
their size, of 32, 96, 144, 240, 672 and 1,280 channels."""


def efficientnet_lite0(weights: Path | None, picture: Any = None) -> Any:
    """The network up to its last feature maps, as a `tf.keras.Model`.

    Its output is that of the layer `HEAD_ACTIVATION`. For other depths,
    `tf.keras.Model(network.input, [network.get_layer(name).output for name in DEPTHS])`.

    Args:
      weights: an asset's file; None for random weights (He et al. 2015), to be trained from scratch.
      picture: a tf.keras.Input for RGB, uint8 or float of 0 to 255, `[batch, height, width, 3]`; by default one of its
        own, of any size.
    """
    layers = tf.keras.layers
    picture = tf.keras.Input([None, None, 3], name="picture") if picture is None else picture
    x = layers.Rescaling(1 / SCALE, -MEAN / SCALE, name="picture_scaled")(picture)
    x = _convolution(x, "stem", STEM, size=3, stride=2)
    for number, block in enumerate(BLOCKS, start=1):
        x = _block(x, f"block{number:02}", block)
    x = _convolution(x, "head", HEAD)
    network = tf.keras.Model(picture, x, name="efficientnet_lite0")
    if weights is not None:
        load_tensors(network, read_tensors(weights))
    return network


def load_tensors(network: Any, tensors: Mapping[str, Any]) -> None:
    """Gives each layer of weights the tensors of its name: LAYER/WEIGHT."""
    for layer in network.layers:
        if layer.weights:
            layer.set_weights([tensors[f"{layer.name}/{_weight_name(weight)}"] for weight in layer.weights])


def tensors_of(network: Any) -> dict[str, Any]:
    """Name -> array: what `numpy.savez` writes as a file that may take the place of the asset."""
    return {
        f"{layer.name}/{_weight_name(weight)}": value
        for layer in network.layers
        for weight, value in zip(layer.weights, layer.get_weights(), strict=True)
    }


def freeze_normalisations(network: Any) -> None:
    """Keeps statistics, scales and offsets of all normalisations as they are, while other layers learn.

    Statistics of a few hundred pictures are worse than those of ImageNet's million, and in small batches noise.
    """
    for layer in network.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.trainable = False


def _block(x: Any, name: str, block: Block) -> Any:
    y = x
    if block.expand > 1:
        y = _convolution(y, f"{name}_expand", block.wide)
    y = _convolution(y, f"{name}_depthwise", block.wide, block.size, block.stride, depthwise=True)
    y = _convolution(y, f"{name}_project", block.out, activated=False)
    if block.stride == 1 and block.into == block.out:
        y = tf.keras.layers.Add(name=f"{name}_add")([x, y])
    return y


def _convolution(
    x: Any, name: str, channels: int, size: int = 1, stride: int = 1, depthwise: bool = False, activated: bool = True
) -> Any:
    """A convolution without bias, its normalisation and, unless it is linear, ReLU6."""
    layers = tf.keras.layers
    common = {"strides": stride, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
    if depthwise:  # Keras would count all channels as inputs of each, and the signal would die away
        kernel = tf.keras.initializers.RandomNormal(stddev=math.sqrt(2) / size)
        x = layers.DepthwiseConv2D(size, depthwise_initializer=kernel, **common)(x)
    else:
        x = layers.Conv2D(channels, size, kernel_initializer="he_normal", **common)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_activation")(x) if activated else x


def _weight_name(weight: Any) -> str:
    return str(weight.name).rpartition("/")[2].partition(":")[0]
