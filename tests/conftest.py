"""What all tests need before anything is imported."""

import os
import signal
from typing import Any

import pytest

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # whichever test imports TensorFlow first, it is the one that Benison runs on
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it runs in the background ignore it


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests (`-n 2`), those of one file stay together, and with them what their
    fixtures made; of whole pipelines those of one task. (xdist's groups do not work under pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling

    class OneFileOneProcess(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            return file + test.partition("[")[2] if file.endswith("/test_all_tasks.py") else file

    return OneFileOneProcess(config, log)
