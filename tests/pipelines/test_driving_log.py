"""A log of cameras alone, as a whole pipeline: what it does not hold is neither learnt nor judged."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED
from pipelines.settings import RunSettings
from trainer.tasks.autonomous_driving import AutonomousDriving

ROWS = 60


def jpeg(steering: float, rng: np.random.Generator) -> bytes:
    """A bright bar where it is steered to."""
    pixels = rng.integers(0, 60, (24, 32, 3), np.uint8)
    middle = round(16 + 12 * steering)
    pixels[:, max(0, middle - 3) : middle + 3] = 230
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.whole
def test_a_log_without_lidar_path_and_simulator_is_judged_by_steering(tmp_path: Path) -> None:
    rng, lines = np.random.default_rng(0), []
    (tmp_path / "log" / "IMG").mkdir(parents=True)
    for number in range(ROWS):
        steering = round(float(rng.uniform(-0.8, 0.8)), 3)
        (tmp_path / "log" / "IMG" / f"center_{number}.jpg").write_bytes(jpeg(steering, rng))
        lines.append(f"C:\\IMG\\center_{number}.jpg,,,{steering},0.5,0,20\n")
    (tmp_path / "log" / "driving_log.csv").write_text("".join(lines), encoding="utf-8")
    small = {name: str(value) for name, value in {**AutonomousDriving.small, "min_steps": 40}.items()}
    data, workspace = str(tmp_path / "log"), tmp_path / "workspace"
    result = run(RunSettings("autonomous_driving", data=data, overrides=small, workspace=workspace), Listener())
    assert result.exit in (EXIT_BLESSED, EXIT_NOT_BLESSED), result.verdict
    assert {"steering_mae", "throttle_mae", "brake_mae"} <= set(result.metrics)
    assert not {"path_error", "reward_share", "on_road", "times_left"} & set(result.metrics)
    assert {gate["metric"] for gate in result.gates} == {"steering_mae"}
