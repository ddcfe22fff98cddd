"""The bridge between a task's `preprocess` and TensorFlow Transform, and the lossless packing of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.backend import tf
from trainer.task import Features, Task, load

PNG_SUFFIX = "_png"
"""A uint8 picture travels between nodes as PNG under its name with this suffix: a tf.Example has no bytes-sized
integers, and a list of int64 takes many times the room and the time."""


def task_from(config: dict[str, Any]) -> Task:
    """The task that a node's `custom_config` names: {"task": name, "hparams": {field: value}}."""
    task_class = load(config["task"])
    return task_class(task_class.HParams(**config["hparams"]))


def preprocessing_fn(inputs: Features, custom_config: dict[str, Any]) -> Features:
    """TensorFlow Transform's entry point for all tasks."""
    return pack(task_from(custom_config).preprocess(inputs))


def pack(features: Features) -> Features:
    """Encodes uint8 `[batch, height, width, channels]` tensors as PNG, string `[batch]`; leaves the others."""
    packed = {}
    for name, tensor in features.items():
        if tensor.dtype == tf.uint8 and tensor.shape.rank == 4:
            packed[name + PNG_SUFFIX] = tf.io.encode_png(tensor)
        else:
            packed[name] = tensor
    return packed


def unpack_batch(packed: Features, spec: Mapping[str, Any]) -> Features:
    """The inverse of `pack` on a batch. `spec`: name -> tf.TensorSpec of one example."""
    return {
        _plain(name): tf.map_fn(
            lambda data, name=name: _decode(data, spec[_plain(name)]),
            tensor,
            fn_output_signature=spec[_plain(name)],
        )
        if name.endswith(PNG_SUFFIX)
        else tensor
        for name, tensor in packed.items()
    }


def unpack_example(packed: Features, spec: dict[str, Any] | None = None) -> Features:
    """The inverse of `pack` on one example; without `spec` the pictures' shapes are those of the data."""
    return {
        _plain(name): _decode(tensor, spec[_plain(name)] if spec else None) if name.endswith(PNG_SUFFIX) else tensor
        for name, tensor in packed.items()
    }


def _decode(data: Any, spec: Any) -> Any:
    picture = tf.io.decode_png(data)
    return picture if spec is None else tf.ensure_shape(picture, spec.shape)


def _plain(name: str) -> str:
    return name.removesuffix(PNG_SUFFIX)
