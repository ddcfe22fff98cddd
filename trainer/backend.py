"""TensorFlow and its legacy Keras, imported at first use.

`tf` stands for the `tensorflow` module. Touching an attribute imports it, with the two settings that every process of
this project needs, so that listing tasks, checking options and refusing bad input never wait for TensorFlow:

- legacy Keras (`tf_keras`): Keras 3's `fit` does not run under MultiWorkerMirroredStrategy;
- AutoGraph rules that leave libraries alone. AutoGraph knows by name that it must not convert `keras` and
  `tensorflow`, but spends 11 s on `tf_keras` in the first `fit` and 3 s on `tensorflow_transform` in an export.

A module that uses `tf` from here must not touch it while being imported (no class that derives from a Keras class at
module level): such code lives in modules of its own that are imported where they are used.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from data.errors import BenisonError

UNCONVERTED = ("tf_keras", "tensorflow_transform", "tfx_bsl", "trainer.inputs", "trainer.packing", "trainer.transform")
"""Libraries written for graphs, and modules of ours that call no task's code: AutoGraph finds nothing to convert."""


@functools.cache
def load_tensorflow() -> ModuleType:
    """Imports TensorFlow with this project's settings. Raises BenisonError if it came in before, without them."""
    if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise BenisonError(
            "TensorFlow was imported before Benison could ask for legacy Keras",
            "set TF_USE_LEGACY_KERAS=1 before the first import of TensorFlow",
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    tensorflow = importlib.import_module("tensorflow")
    config: Any = importlib.import_module("tensorflow.python.autograph.core.config")
    known = {getattr(rule, "_prefix", "") for rule in config.CONVERSION_RULES}
    rules = [config.DoNotConvert(library) for library in UNCONVERTED if library not in known]
    config.CONVERSION_RULES = (*rules, *config.CONVERSION_RULES)
    return tensorflow


class _FirstUse:
    def __getattr__(self, name: str) -> Any:
        return getattr(load_tensorflow(), name)


if TYPE_CHECKING:
    tf: Any
else:
    tf = _FirstUse()
