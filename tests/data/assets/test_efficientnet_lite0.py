"""The names, shapes and layouts of EfficientNet-Lite0's tensors, from made-up weights in PyTorch's own layouts."""

from __future__ import annotations

import numpy as np

from data.assets.efficientnet_lite0 import ASSET, BLOCKS, _converted


def as_pytorch_has_them() -> dict[str, np.ndarray]:
    """Made-up numbers under the names of the package's file."""
    rng, made = np.random.default_rng(0), {}

    def layer(conv: str, normalisation: str, shape: tuple[int, ...]) -> None:
        made[f"{conv}.weight"] = rng.random(shape, np.float32)
        for name in ("weight", "bias", "running_mean", "running_var"):
            made[f"{normalisation}.{name}"] = rng.random(shape[0], np.float32)
        made[f"{normalisation}.num_batches_tracked"] = np.int64(1)

    layer("_conv_stem", "_bn0", (32, 3, 3, 3))
    for number, block in enumerate(BLOCKS):
        if block.expand > 1:
            layer(f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0", (block.wide, block.into, 1, 1))
        size = (block.size, block.size)
        layer(f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1", (block.wide, 1, *size))
        layer(f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2", (block.out, block.wide, 1, 1))
    layer("_conv_head", "_bn1", (1280, 320, 1, 1))
    made["_fc.weight"], made["_fc.bias"] = rng.random((1000, 1280), np.float32), rng.random(1000, np.float32)
    return made


def test_each_tensor_comes_under_its_name_in_tensorflows_layout() -> None:
    source = as_pytorch_has_them()
    found = _converted(source)
    assert {name: tensor.shape for name, tensor in found.items() if not name.startswith("classes/")} == ASSET.tensors
    assert found["classes/kernel"].shape == (1280, 1000)
    assert found["stem_conv/kernel"][0, 2, 1, 7] == source["_conv_stem.weight"][7, 1, 0, 2]
    depthwise = found["block03_depthwise_conv/depthwise_kernel"]
    assert depthwise[1, 0, 5, 0] == source["_blocks.2._depthwise_conv.weight"][5, 0, 1, 0]
    assert found["block16_project_bn/moving_variance"][9] == source["_blocks.15._bn2.running_var"][9]
    assert found["classes/kernel"][3, 285] == source["_fc.weight"][285, 3]
    used = sum(tensor.size for tensor in found.values())
    assert used == sum(tensor.size for name, tensor in source.items() if "num_batches" not in name)


def test_it_is_the_network_of_the_paper() -> None:
    assert len(BLOCKS) == 16 and [block.out for block in BLOCKS][-1] == 320
    assert np.prod([block.stride for block in BLOCKS]) == 16  # and 2 of the stem
    parameters = sum(int(np.prod(shape)) for name, shape in ASSET.tensors.items() if "moving" not in name)
    assert parameters + 1281 * 1000 == 4_652_008
