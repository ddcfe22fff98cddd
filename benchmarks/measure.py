"""What the benchmarks share: options, processes and what they took, medians, and the table.

What is measured runs in processes of its own. This one imports nothing heavy: a child's peak of memory begins at its
parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
BENISON = str(Path(sys.executable).parent / "benison")
NOT_BLESSED = 3
"""Exit code of a run that went well but trained too little to be blessed, as short trials of a benchmark do."""


@dataclass(frozen=True)
class Options:
    repeats: int
    steps: int | None
    """Training steps, in place of each benchmark's own number."""
    tasks: Sequence[str] = ()
    """The tasks that a benchmark of every task is to measure; none means all."""


@dataclass(frozen=True)
class Finished:
    seconds: float
    peak_rss_mb: float
    """Of the process or of the largest that it waited for."""
    output: str


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is `ours / theirs`."""

    what: str
    ours: float
    theirs: float
    unit: str
    against: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        return self.ratio <= self.at_most if self.at_most is not None else self.ratio >= (self.at_least or 0.0)

    @property
    def target(self) -> str:
        return f"≤ {self.at_most:g} ×" if self.at_most is not None else f"≥ {self.at_least:g} ×"


def options(description: str | None) -> Options:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--repeats", type=int, default=3, help="Measurements of each side; their median is shown.")
    parser.add_argument("--steps", type=int, help="Training steps, in place of each benchmark's own number.")
    parser.add_argument(
        "--task", action="append", default=[], dest="tasks", help="One task of a benchmark of all; may be repeated."
    )
    return Options(**vars(parser.parse_args()))


def main(rows: Callable[[Options], list[Row]], description: str | None) -> None:
    """What `python -m benchmarks.NAME` does."""
    print(table(rows(options(description))))


def table(rows: Sequence[Row]) -> str:
    lines = ["| what | measured | against | ratio | target | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        against = f"{row.against}: {row.theirs:.4g} {row.unit}"
        met = "yes" if row.met else "no"
        lines.append(
            f"| {row.what} | {row.ours:.4g} {row.unit} | {against} | {row.ratio:.3g} × | {row.target} | {met} |"
        )
    return "\n".join(lines)


def interleaved(repeats: int, **sides: Callable[[], float]) -> dict[str, float]:
    """The median of each side, measured in turn so that what else the machine does falls on all of them."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            measured[name].append(side())
    return {name: statistics.median(values) for name, values in measured.items()}


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)) -> Finished:
    """Runs a command in the project's root to its end.

    Raises:
      RuntimeError: its exit code is none of `accept`; the message holds the end of what it wrote.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(environment), stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        return Finished(seconds, usage.ru_maxrss / 1024, _output(command, process.returncode, out, err, accept))


def _output(command: Sequence[str], code: int, out: IO[str], err: IO[str], accept: Sequence[int]) -> str:
    """What a command that has ended with this code wrote to standard output. Raises RuntimeError as `run` does."""
    out.seek(0)
    err.seek(0)
    output = out.read()
    if code not in accept:
        raise RuntimeError(f"{' '.join(command)} ended with {code}\n{(err.read() + output)[-3000:]}")
    return output


def watched(
    command: Sequence[str],
    every: float,
    look: Callable[[float], None] = lambda megabytes: None,
    accept: Sequence[int] = (0,),
) -> Finished:
    """As `run`, but of the process and all that descend from it together the peak, and `look` is told every so many
    seconds what they take."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(None), stdout=out, stderr=err)
        peak = 0.0
        while process.poll() is None:
            megabytes = memory_mb(process.pid)
            peak = max(peak, megabytes)
            look(megabytes)
            time.sleep(every)
        seconds = time.perf_counter() - begun
        return Finished(seconds, peak, _output(command, process.returncode, out, err, accept))


def memory_mb(pid: int) -> float:
    """Of a process and all that descend from it; of memory that several share each has its part (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3
    return own + sum(memory_mb(int(child)) for child in children)


def call(module: str, function: str, environment: Mapping[str, str] | None = None, **arguments: Any) -> Any:
    """What a function of a benchmark returns in a fresh process. Arguments and result are JSON."""
    code = (
        f"import json, sys\nfrom benchmarks import {module}\n"
        f"print(json.dumps({module}.{function}(**json.loads(sys.argv[1]))))"
    )
    finished = run([sys.executable, "-c", code, json.dumps(arguments)], environment)
    return json.loads(finished.output.splitlines()[-1])


def trained_task(workspace: Path, steps: int = 200) -> Path:
    """The pipeline root of the demo task after a run in `workspace`: data, transformed data and a model."""
    command = [BENISON, "run", "image_classification", "--steps", str(steps), "--workspace", str(workspace)]
    run(command, accept=(0, NOT_BLESSED))
    return workspace.resolve() / "image_classification" / "pipeline"


def transformed_task(name: str, workspace: Path, limit: int) -> Path:
    """The pipeline root of any task whose default data, at most `limit` records of each split, came to Transform."""
    run([BENISON, "run", name, "--to", "Transform", "--limit", str(limit), "--workspace", str(workspace)])
    return workspace.resolve() / name / "pipeline"


def newest(pipeline_root: str | Path, node: str, output: str) -> Path:
    """The artifact that a node made last."""
    return max(Path(pipeline_root, node, output).iterdir(), key=lambda artifact: int(artifact.name))


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2", **(more or {})}
