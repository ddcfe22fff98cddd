"""Targets that records may lack, as dense tensors."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def dense(values: Any, count: Any, absent: Any, length: int = 1) -> Any:
    """A column that is optional, tf.SparseTensor, of `count` records: `[count]`, or `[count, length]` of several values
    each. What a record lacks is `absent`."""
    found = tf.sparse.to_dense(tf.sparse.reset_shape(values, [count, length]), default_value=absent)
    return found[:, 0] if length == 1 else tf.ensure_shape(found, [None, length])
