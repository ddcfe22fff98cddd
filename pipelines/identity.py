"""Which code and which libraries a run is of."""

from __future__ import annotations

import importlib.metadata

from data import source_digest

PACKAGES = ("pipelines", "components", "trainer", "data")
LIBRARIES = ("tfx", "tensorflow", "tf-keras", "tensorflow-transform", "tensorflow-model-analysis", "apache-beam")


def code_digest() -> str:
    """Of this project's Python files, 16 hexadecimal digits."""
    return source_digest.package_digest(*PACKAGES)[:16]


def library_versions() -> dict[str, str]:
    """Of the libraries that a result depends on."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}
