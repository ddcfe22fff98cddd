"""Numbers by chance that a model is given as a feature, so that they are the same for the same record."""

from __future__ import annotations

from typing import Any

from trainer.backend import tf


def latents(seeds: Any, size: int) -> Any:
    """int64 `[batch]` to standard normal float32 `[batch, size]`: each row follows from its seed alone."""
    return tf.map_fn(
        lambda seed: tf.random.stateless_normal([size], tf.stack([seed, 0])), seeds, fn_output_signature=tf.float32
    )
