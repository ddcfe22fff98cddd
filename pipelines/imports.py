"""Keeping what no pipeline needs from being imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SPARED = ("kubernetes_validate",)
"""A validator for development. The Kubernetes client behind TFX's infra validator would load it if it is installed, for
2 s of the 8 that importing TFX takes. Not so IPython and ipywidgets: without them, TFMA lacks half of its functions."""


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Within, importing these fails as if they were not installed, so that libraries that can do without them do."""
    loaded: dict[str, Any] = sys.modules
    hidden = [name for name in modules if name not in loaded]
    loaded.update(dict.fromkeys(hidden))  # None: how Python itself marks what is not to be imported
    try:
        yield
    finally:
        for name in hidden:
            del loaded[name]
