"""LSTM, GRU and plain recurrent cells of `sequence_regression` side by side: the same data, split and layers.

Each has a workspace of its own, so that none is the baseline of another.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure

TASK = "sequence_regression"
CELLS = ("lstm", "gru", "rnn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="As for `benison run`; the default data otherwise.")
    parser.add_argument("--steps", type=int, help="Training steps, in place of the task's own number.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = {cell: _run(cell, options.data, options.steps, Path(scratch, cell)) for cell in CELLS}
    print(_table(results))


def _run(cell: str, data: str | None, steps: int | None, workspace: Path) -> dict[str, Any]:
    command = [measure.BENISON, "run", TASK, "--set", f"cell={cell}", "--workspace", str(workspace), "--json"]
    command += ["--data", data] if data else []
    command += ["--steps", str(steps)] if steps else []
    result: dict[str, Any] = json.loads(measure.run(command, accept=(0, measure.NOT_BLESSED)).output)
    return result


def _table(results: dict[str, dict[str, Any]]) -> str:
    lines = ["| | MAE | RMSE | training, s | blessed |", "|---|---|---|---|---|"]
    for name, result in results.items():
        [training] = [node["seconds"] for node in result["nodes"] if node["id"] == "Trainer"]
        blessed = "yes" if result["blessed"] else "no"
        lines.append(f"| {name} | {_scores(result['metrics'])} | {training:.0f} | {blessed} |")
    reference = next(iter(results.values()))["reference"]
    lines += [f"| {name} | {_scores(metrics)} | | |" for name, metrics in reference.items()]
    return "\n".join(lines)


def _scores(metrics: dict[str, float]) -> str:
    return f"{metrics['mae']:.3f} | {metrics['rmse']:.3f}"


if __name__ == "__main__":
    main()
