"""The frozen network by which judged metrics look at pictures: what `Task.judge` made, as it was saved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from trainer.backend import tf

Judge = Callable[[Any], Mapping[str, Any]]
"""Pictures to named tensors."""


@functools.lru_cache(maxsize=1)
def loaded(path: str) -> Judge:
    """The judge in the folder of a SavedModel; the last one is kept."""
    model = tf.saved_model.load(path)
    signature = model.signatures["serving_default"]

    def judge(pictures: Any) -> Mapping[str, Any]:
        keep = model  # the signature alone would let the model's variables go
        return dict(signature(pictures)) if keep else {}

    return judge
