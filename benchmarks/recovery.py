"""`autonomous_driving` with and without recoveries among what it learns from: what covariate shift does to laps.

As many drives of the same tracks, the same network and steps; without recoveries the expert drives as it would. Both
drive the same laps. Each has a workspace of its own, so that neither is the baseline of the other.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure
from data.sets import driving

TASK = "autonomous_driving"
SETS = {"with recoveries": True, "without": False}
METRICS = ("steering_mae", "path_error", "reward_share", "on_road", "times_left")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", action="append", choices=SETS, help="only this one; may be given again")
    parser.add_argument("--steps", type=int, help="Training steps, in place of the task's own number.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.set or SETS:
            print(_row(name, _run(SETS[name], options.steps, Path(scratch, name))), flush=True)


def _run(recovery: bool, steps: int | None, folder: Path) -> dict[str, Any]:
    driving.write(folder / "data", driving.TRACKS, recovery=recovery)
    command = [measure.BENISON, "run", TASK, "--data", str(folder / "data"), "--workspace", str(folder / "workspace")]
    command += ["--steps", str(steps)] if steps else []
    run = measure.run([*command, "--json"], accept=(0, measure.NOT_BLESSED))
    result: dict[str, Any] = json.loads(run.output)
    return result


def _row(name: str, result: dict[str, Any]) -> str:
    values = " | ".join(f"{result['metrics'][metric]:.3g}" for metric in METRICS)
    return f"| {name} | {result['examples']['train']:,} | {values} |"


if __name__ == "__main__":
    main()
