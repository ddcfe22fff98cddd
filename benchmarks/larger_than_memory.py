"""Data larger than memory, through every node: pictures, and a table of ratings, in a control group.

The group of the pictures may take half of what they take as pixels. A million ratings take less as arrays than
TensorFlow takes without any: their group may take what a run of a tenth of them took, and a quarter more. What each
node takes at its peak and how long it runs is set against the same of that tenth: memory is to stay, time is to be in
proportion. The tenth leaves the same in the group and outside of it, or this raises.

Control groups can be made by root, of version 1 anywhere, of version 2 where the group around has the memory controller
on for those in it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure
from trainer.memory import control_groups

ROWS, PICTURES = 1_000_000, 12_000
SMALLER = 10
SIDE = 256
"""Pixels; of noise, so that a picture's file is as large as its pixels."""
MOST_MEMORY, MOST_TIME = 1.25, 1.3
"""Of a set's peak and of the time of one of its records, against those of a tenth of it."""
ROOM = 1.25
SAMPLE_SECONDS = 0.2
STEPS = 100
TOLERANCE = 1e-5
"""Of metrics: TFMA sums in batches that go by the time that they take."""


@dataclass(frozen=True)
class Ran:
    seconds: dict[str, float]
    peak_mb: dict[str, float]
    """Of each node, all processes together."""
    metrics: dict[str, float]
    digests: dict[str, str]
    """Of what each node left."""

    @property
    def peak(self) -> float:
        return max(self.peak_mb.values())

    @property
    def all_seconds(self) -> float:
        return sum(self.seconds.values())


def rows(pictures: int = PICTURES, ratings: int = ROWS) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        found = []
        if pictures:
            half = pictures * SIDE * SIDE * 3 // 2
            found += _compared(Path(scratch), "image_classification", "write_pictures", pictures, half)
        if ratings:
            found += _compared(Path(scratch), "recommendation", "write_ratings", ratings, None)
        return found


def _compared(scratch: Path, task: str, write: str, count: int, limit: int | None) -> list[measure.Row]:
    """`limit`: bytes that the group may take; None for `ROOM` times what the smaller set takes."""
    for size in (count // SMALLER, count):
        measure.call("larger_than_memory", write, folder=str(scratch / task / str(size)), count=size)
    small = _run(scratch, task, count // SMALLER, None)
    limit = math.ceil(small.peak * ROOM * 1e6) if limit is None else limit
    bounded, whole = (_run(scratch, task, size, limit) for size in (count // SMALLER, count))
    _refuse_other_results(task, small, bounded)
    print(_table(task, count, bounded, whole), file=sys.stderr, flush=True)
    what = f"{count:,} records of {task} in {limit / 1e6:,.0f} MB"
    against = f"{count // SMALLER:,} records"
    return [
        measure.Row(f"{what}: peak memory", whole.peak, bounded.peak, "MB", against, at_most=MOST_MEMORY),
        measure.Row(
            f"{what}: time of a record",
            whole.all_seconds / count * 1e6,
            bounded.all_seconds / (count // SMALLER) * 1e6,
            "µs",
            against,
            at_most=MOST_TIME,
        ),
    ]


def _table(task: str, count: int, small: Ran, whole: Ran) -> str:
    lines = [
        f"| {task} | {count // SMALLER:,} records, s | {count:,}, s | {count // SMALLER:,}, MB | {count:,}, MB |",
        "|---|---|---|---|---|",
    ]
    for node in whole.seconds:
        numbers = (small.seconds[node], whole.seconds[node]), (small.peak_mb.get(node), whole.peak_mb.get(node))
        seconds = [f"{number:.1f}" for number in numbers[0]]
        peaks = ["–" if number is None else f"{number:,.0f}" for number in numbers[1]]
        lines.append(f"| {node} | {' | '.join([*seconds, *peaks])} |")
    return "\n".join(lines)


def _refuse_other_results(task: str, free: Ran, bounded: Ran) -> None:
    other = [name for name, value in free.metrics.items() if not _close(value, bounded.metrics[name])]
    if other or free.digests != bounded.digests:
        raise RuntimeError(f"{task}: other results in a control group than outside: {other or 'other examples'}")


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE) or (math.isnan(one) and math.isnan(other))


def _run(scratch: Path, task: str, count: int, limit: int | None) -> Ran:
    workspace = scratch / f"{task}-{count}-{limit}"
    command = [measure.BENISON, "run", task, "--data", str(scratch / task / str(count)), "--steps", str(STEPS)]
    command += ["--workspace", str(workspace), "--json"]
    peaks: dict[str, float] = {}

    def look(megabytes: float) -> None:
        if node := _running(workspace / task / "runs"):
            peaks[node] = max(peaks.get(node, 0.0), megabytes)

    with _group(limit) as enter:
        finished = measure.watched([*enter, *command], SAMPLE_SECONDS, look, accept=(0, measure.NOT_BLESSED))
    result = json.loads(finished.output)
    root = str(workspace.resolve() / task / "pipeline")
    digests = measure.call("beam_workers", "digests", pipeline_root=root)
    seconds = {node["id"]: node["seconds"] for node in result["nodes"]}
    return Ran(seconds, peaks, result["metrics"], digests)


def _running(runs: Path) -> str | None:
    """The node that runs, by what the run keeps for whoever looks on."""
    for file in runs.glob("*/state.json"):
        nodes = json.loads(file.read_text(encoding="utf-8"))["nodes"]
        return next((node["id"] for node in nodes if node["state"] == "running"), None)
    return None


@contextmanager
def _group(limit: int | None) -> Iterator[Sequence[str]]:
    """What is to stand before a command, so that it and all that it starts may take so many bytes."""
    if limit is None:
        yield ()
        return
    own, file, _, _ = next(control_groups())
    parent = own if file == "memory.limit_in_bytes" else own.parent
    group = parent / f"benison-{os.getpid()}"
    group.mkdir()
    try:
        (group / file).write_text(str(limit))
        yield ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    finally:
        group.rmdir()


def write_pictures(folder: str, count: int) -> None:
    """`count` pictures of noise in two classes, one of which is darker."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(count):
        kind = Path(folder, "dark" if number % 2 else "light")
        kind.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 128 if number % 2 else 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(kind / f"{number}.png", compress_level=0)


def write_ratings(folder: str, count: int) -> None:
    """A table of `count` ratings by taste and by chance; some items are rated often, most seldom."""
    import numpy as np

    rng = np.random.default_rng(0)
    people, items = 20_000, 3_000
    Path(folder).mkdir(parents=True)
    tastes, kinds = rng.normal(size=(people, 4)), rng.normal(size=(items, 4))
    with Path(folder, "ratings.csv").open("w", encoding="utf-8") as file:
        file.write("user,item,rating,timestamp,title\n")
        user = rng.integers(0, people, count)
        item = np.minimum(rng.geometric(0.002, count), items) - 1
        ratings = 3 + (tastes[user] * kinds[item]).sum(1) / 2 + rng.normal(size=count) / 2
        for number in range(count):
            one = f"u{user[number]},i{item[number]},{ratings[number].clip(1, 5):.1f}"
            file.write(f"{one},{1_500_000_000 + number},Film no. {item[number]}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS, help="ratings; 0 for none")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="pictures; 0 for none")
    options = parser.parse_args()
    print(measure.table(rows(options.pictures, options.rows)))


if __name__ == "__main__":
    main()
