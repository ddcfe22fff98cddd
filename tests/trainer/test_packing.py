"""uint8 tensors of any rank come back from between the nodes as they went in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.errors import WrongUse
from trainer.backend import tf
from trainer.packing import pack, unpack_batch, unpack_example

SHAPES = [
    (),
    (5,),
    (0,),
    (70_000,),
    (7, 3),
    (28, 28, 1),
    (6, 5, 2),
    (6, 5, 4),
    (20, 20, 7),
    (4, 6, 20, 3),
    (4, 0, 20, 3),
    (2, 3, 4, 5, 6),
]


@pytest.mark.parametrize("sizes", ["static", "dynamic"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_uint8_of_any_rank_comes_back(shape: tuple[int, ...], sizes: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    known = shape if sizes == "static" else (*[None] * (len(shape) - 1), *shape[-1:])
    packed = traced_pack(tf.TensorSpec((None, *known), tf.uint8))(tf.constant(values))
    [encoded] = packed.values()
    assert encoded.dtype == tf.string and encoded.shape == [3]
    whole = unpack_batch(packed, {"x": tf.TensorSpec(shape, tf.uint8)})["x"]
    one = unpack_example({name: value[1] for name, value in packed.items()})["x"]
    np.testing.assert_array_equal(whole, values)
    np.testing.assert_array_equal(one, values[1])
    assert whole.dtype == one.dtype == tf.uint8


def test_other_types_and_names_like_files_are_left_alone() -> None:
    features = {"image_png": tf.constant([b"encoded"]), "number": tf.constant([1.5]), "x__text": tf.constant([3])}
    packed = pack(features)
    assert packed == features
    assert unpack_batch(packed, {}) == features


def test_a_name_kept_for_packed_tensors_is_refused() -> None:
    with pytest.raises(WrongUse, match="kept for packed tensors"):
        pack({"image__png": tf.constant([b""])})


def test_a_picture_travels_as_a_picture() -> None:
    [encoded] = pack({"x": tf.zeros([1, 4, 4, 3], tf.uint8)}).values()
    assert encoded.numpy()[0].startswith(b"\x89PNG")


def traced_pack(spec: Any) -> Any:
    return tf.function(lambda x: pack({"x": x}), input_signature=[spec])
