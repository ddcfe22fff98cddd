"""The lossless packing of uint8 tensors between nodes.

A tf.Example has no integers of one byte, and a list of int64 takes many times the room and the time. A uint8 tensor
therefore travels as one bytes value an example, a PNG: a picture `[height, width, channels]` as just that, under its
name with `PICTURE`; one of any other rank as a flat arrangement that its shape stands before, under its name with
`TENSOR` and its rank. Inputs and targets alike; what `preprocess` returned is what comes back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from data.errors import WrongUse
from trainer.backend import tf

PICTURE = "__png"
TENSOR = "__u8x"
_PACKED = re.compile(rf"(?P<name>.+?)(?:{PICTURE}|{TENSOR}(?P<rank>\d+))")

_DIGITS = 10
"""Decimal digits of each dimension in the shape that stands before a flat arrangement."""

_NARROW = 16
"""Rows of fewer values are not kept as rows: PNG gives each row a byte of its own, and has at most 10^6 of them."""


def pack(features: Mapping[str, Any]) -> dict[str, Any]:
    """Encodes each uint8 tensor `[batch, ...]` as string `[batch]`; leaves the others.

    Raises:
      WrongUse: a feature has a name that only packed ones may have.
    """
    packed = {}
    for name, tensor in features.items():
        if _PACKED.fullmatch(name):
            raise WrongUse(f"preprocess makes the feature {name!r}, a name kept for packed tensors", "rename it")
        if tensor.dtype != tf.uint8:
            packed[name] = tensor
        elif tensor.shape.rank == 4 and tensor.shape[-1] in (None, 1, 2, 3, 4) and 0 not in tensor.shape[1:]:
            packed[name + PICTURE] = tf.io.encode_png(tensor)
        else:
            packed[f"{name}{TENSOR}{tensor.shape.rank - 1}"] = _encode(tensor)
    return packed


def unpack_batch(packed: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `pack` on a batch. `spec`: name -> tf.TensorSpec of one example's unpacked features."""
    features = {}
    for packed_name, tensor in packed.items():
        name, rank = _parts(packed_name)
        features[name] = (
            tensor
            if rank is None
            else tf.map_fn(
                lambda data, rank=rank, one=spec[name]: tf.ensure_shape(_decode(data, rank), one.shape),
                tensor,
                fn_output_signature=spec[name],
            )
        )
    return features


def unpack_example(packed: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `pack` on one example; shapes are those of the data."""
    parts = {name: _parts(name) for name in packed}
    return {
        name: packed[packed_name] if rank is None else _decode(packed[packed_name], rank)
        for packed_name, (name, rank) in parts.items()
    }


def _parts(packed_name: str) -> tuple[str, int | None]:
    """A feature's own name, and its rank without the batch if it is packed. -1: it is a picture."""
    match = _PACKED.fullmatch(packed_name)
    if not match:
        return packed_name, None
    return match["name"], -1 if match["rank"] is None else int(match["rank"])


def _encode(tensor: Any) -> Any:
    """uint8 `[batch, ...]` of any rank to string `[batch]`: the dimensions as text, then a PNG of all values."""
    static = tensor.shape
    shape = tf.shape(tensor)
    batch, dims = shape[0], shape[1:]
    channels = static[-1] if static.rank > 3 and static[-1] in (1, 2, 3, 4) else 1
    size = tf.reduce_prod(dims)
    pixels = -(-size // channels)
    square = tf.cast(tf.math.ceil(tf.sqrt(tf.cast(pixels, tf.float32))), tf.int32)
    row = tf.constant(1)
    if static.rank > 2:  # values above one another are alike, which is what PNG makes use of
        row = dims[-2] if static.rank > 3 and static[-1] in (1, 2, 3, 4) else dims[-1]
    width = tf.maximum(tf.where(row < _NARROW, square, row), 1)
    height = tf.maximum(-(-pixels // width), 1)
    flat = tf.pad(tf.reshape(tensor, [batch, size]), [[0, 0], [0, width * height * channels - size]])
    header = tf.strings.reduce_join(tf.strings.as_string(dims, width=_DIGITS, fill="0"))
    return tf.strings.join([header, tf.io.encode_png(tf.reshape(flat, [batch, height, width, channels]))])


def _decode(data: Any, rank: int) -> Any:
    if rank < 0:
        return tf.io.decode_png(data)
    starts = [_DIGITS * axis for axis in range(rank)]
    dims = [tf.strings.to_number(tf.strings.substr(data, start, _DIGITS), tf.int32) for start in starts]
    values = tf.reshape(tf.io.decode_png(tf.strings.substr(data, _DIGITS * rank, tf.strings.length(data))), [-1])
    tensor = tf.reshape(values[: tf.reduce_prod(dims) if dims else 1], dims)
    return tf.ensure_shape(tensor, [None] * rank)
