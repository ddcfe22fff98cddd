"""Ingestion, statistics and Transform in two processes (the default on two cores) against one (`--set beam.workers=1`).

Both must leave the same bytes. Memory is that of the run and of its workers together, what they share counted once.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure

PICTURES = 20_000
"""Of 28 by 28 pixels."""
NODES = ("FolderExampleGen", "StatisticsGen", "Transform")
OUTPUTS = (
    ("FolderExampleGen", "examples"),
    ("StatisticsGen", "statistics"),
    ("Transform", "transformed_examples"),
)
SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    seconds: dict[str, float]
    """Of each node."""
    peak_mb: float
    """Of all its processes together."""
    digests: dict[str, str]
    """Of what each node left."""


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch, "data")
        measure.call("beam_workers", "write_pictures", folder=str(data), size=PICTURES)
        pictures = _Comparison("image_classification", ["--data", str(data)], Path(scratch, "pictures"))
        speech = _Comparison("speech_recognition", [], Path(scratch, "speech"))
        for _ in range(options.repeats):
            pictures.go_on()
            speech.go_on()
        demo = measure.interleaved(options.repeats, **{name: _demo(Path(scratch, name)) for name in ("one", "two")})
        together = f"{', '.join(NODES)} of {PICTURES:,} pictures, 2 processes"
        found = [
            pictures.row(together, NODES, at_most=0.65),
            pictures.memory_row(f"memory of the same, all {len(NODES)} nodes and processes", at_most=1.5),
            speech.row("Transform of `speech_recognition`, 2 processes", ["Transform"], at_most=0.65),
            measure.Row("the demo, 1,000 steps", demo["two"], demo["one"], "s", "beam.workers=1", at_most=1.0),
        ]
        if others := [*pictures.others, *speech.others]:
            raise RuntimeError(f"{measure.table(found)}\none process and two left other bytes: {', '.join(others)}")
        return found


class _Comparison:
    """Runs of the same data in one process and in two."""

    def __init__(self, task: str, arguments: Sequence[str], workspace: Path) -> None:
        self._task, self._arguments, self._workspace = task, arguments, workspace
        self._runs: dict[int, list[Run]] = {1: [], 2: []}

    def go_on(self) -> None:
        for processes, runs in self._runs.items():
            runs.append(_run(self._task, self._arguments, self._workspace, processes))

    @property
    def others(self) -> list[str]:
        """The task with each node that did not always leave the same bytes."""
        found = [run.digests for runs in self._runs.values() for run in runs]
        return [f"{self._task} {node}" for node in NODES if len({digests[node] for digests in found}) > 1]

    def row(self, what: str, nodes: Sequence[str], at_most: float) -> measure.Row:
        one, two = (
            statistics.median(sum(run.seconds[node] for node in nodes) for run in runs) for runs in self._runs.values()
        )
        return measure.Row(what, two, one, "s", "1 process", at_most=at_most)

    def memory_row(self, what: str, at_most: float) -> measure.Row:
        one, two = (statistics.median(run.peak_mb for run in runs) for runs in self._runs.values())
        return measure.Row(what, two, one, "MB", "1 process", at_most=at_most)


def _run(task: str, arguments: Sequence[str], workspace: Path, processes: int) -> Run:
    command = [measure.BENISON, "run", task, *arguments, "--to", NODES[-1], "--fresh", "--json"]
    command += ["--workspace", str(workspace), "--set", f"beam.workers={processes}"]
    finished = measure.watched(command, SAMPLE_SECONDS)
    seconds = {node["id"]: node["seconds"] for node in json.loads(finished.output)["nodes"]}
    digests = measure.call("beam_workers", "digests", pipeline_root=str(workspace.resolve() / task / "pipeline"))
    return Run(seconds, finished.peak_rss_mb, digests)


def digests(pipeline_root: str) -> dict[str, str]:
    """Of the names and contents of what each node left last: of records their features, in whichever order they were
    written, which is not the same in any two processes; else the bytes."""
    from trainer.backend import tf

    left = {}
    for node, output in OUTPUTS:
        found, folder = hashlib.sha256(), measure.newest(pipeline_root, node, output)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            found.update(f"{file.relative_to(folder)}\n".encode())
            if file.suffix != ".gz":
                found.update(file.read_bytes())
                continue
            for record in tf.data.TFRecordDataset(str(file), "GZIP").as_numpy_iterator():
                found.update(tf.train.Example.FromString(record).SerializeToString(deterministic=True))
        left[node] = found.hexdigest()
    return left


def _demo(workspace: Path) -> Callable[[], float]:
    arguments = [] if workspace.name == "two" else ["--set", "beam.workers=1"]

    def seconds() -> float:
        command = [measure.BENISON, "run", "image_classification", "--steps", "1000", "--fresh", *arguments]
        return measure.run([*command, "--workspace", str(workspace)], accept=(0, measure.NOT_BLESSED)).seconds

    return seconds


def write_pictures(folder: str, size: int) -> None:
    """`size` pictures of noise in two classes."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(size):
        kind = Path(folder, "odd" if number % 2 else "even")
        kind.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(kind / f"{number}.png")


if __name__ == "__main__":
    measure.main(rows, __doc__)
