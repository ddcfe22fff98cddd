"""A whole pipeline where the names of folders have signs that Beam, TensorFlow or TFX could take for patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED
from pipelines.serving.inputs import Example
from pipelines.serving.served import Served
from pipelines.settings import RunSettings
from tests.samples import write_sample
from trainer.task import load

pytestmark = pytest.mark.whole

TASK = "image_classification"


def test_signs_of_patterns_in_paths_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENISON_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "two words {b} *? %s %(x)d"
    root.mkdir()
    data = write_sample(load(TASK).columns, root / "data [x] {SPAN}", 24)
    overrides = {"global_batch_size": "8", "filters": "4"}
    told: list[str] = []
    listener = Listener()
    monkeypatch.setattr(listener, "message", told.append)
    result = run(RunSettings(TASK, str(data), overrides, steps=4, workspace=root / "w [2"), listener)
    assert f"this run names it {tmp_path / 'cache' / 'links'}" in told[0]
    assert result.exit in (EXIT_BLESSED, EXIT_NOT_BLESSED)
    assert result.examples == {"train": 24, "eval": 12, "quarantined": 0}
    assert result.metrics["example_count"] == 12
    model = next((root / "w [2" / TASK / "pipeline" / "Trainer" / "model").glob("*/Format-Serving"))
    served = Served(TASK, load(TASK)(load(TASK).HParams()), model, {})  # as the dashboard names it
    picture = next((data / "eval").rglob("*.png")).read_bytes()
    [(_, answer)] = served.answers([Example(Path(), None, {"image": picture})])
    assert answer["probabilities"].sum() == pytest.approx(1)
