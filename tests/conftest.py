"""What all tests need before anything is imported."""

import os
import signal

import pytest

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # whichever test imports TensorFlow first, it is the one that Benison runs on
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs in the background ignore it


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests (`-n 2 --dist loadgroup`), those of one file stay together, and with them
    what their fixtures made, unless a test names a group of its own."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
