"""What is left out when TFX is imported, and that it is there for whoever asks."""

from __future__ import annotations

import subprocess
import sys

UNUSED = ("kubernetes", "keras_tuner", "keras", "tfx.components.infra_validator")


def run(code: str) -> str:
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_pipeline_is_built_without_what_it_does_not_use_and_collection_goes_on() -> None:
    code = f"""
import gc, sys
from pipelines.quick_imports import quick_imports
with quick_imports():
    assert not gc.isenabled()
    from pipelines import dag
    from pipelines.node_runner import NodeRunner
assert gc.isenabled() and gc.get_freeze_count() > 100_000
frozen = gc.get_freeze_count()
with quick_imports():
    assert gc.isenabled()
assert gc.get_freeze_count() == frozen
print(sorted(set(sys.modules) & set({UNUSED!r})))
import tfx.components
print(tfx.components.InfraValidator.__name__, tfx.components.Trainer is dag.Trainer)
try:
    tfx.components.NoSuchThing
except AttributeError:
    print("no such thing")
"""
    assert run(code).splitlines() == ["[]", "InfraValidator True", "no such thing"]
