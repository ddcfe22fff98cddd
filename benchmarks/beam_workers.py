"""Ingestion, statistics and Transform in two processes (`--set beam.workers=2`) against one in memory, the default.

A worker process imports TensorFlow and TFX anew for each of these nodes, so that small data is slower in several.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import measure

SIZES = (2_000, 20_000)
"""Pictures of 28 by 28 pixels."""
NODES = ("FolderExampleGen", "StatisticsGen", "Transform")


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        return [_row(options.repeats, Path(scratch, str(size)), size) for size in SIZES]


def _row(repeats: int, folder: Path, size: int) -> measure.Row:
    measure.call("beam_workers", "write_pictures", folder=str(folder / "data"), size=size)
    median = measure.interleaved(repeats, one=lambda: _seconds(folder, 1), two=lambda: _seconds(folder, 2))
    what = f"{', '.join(NODES)} of {size:,} pictures, 2 processes"
    return measure.Row(what, median["two"], median["one"], "s", "in memory", at_most=1.0)


def _seconds(folder: Path, workers: int) -> float:
    """What the nodes took together, without the imports of the process that runs them."""
    command = [measure.BENISON, "run", "image_classification", "--data", str(folder / "data"), "--to", NODES[-1]]
    command += ["--fresh", "--json", "--workspace", str(folder / "workspace"), "--set", f"beam.workers={workers}"]
    nodes = json.loads(measure.run(command).output)["nodes"]
    return sum(node["seconds"] for node in nodes if node["id"] in NODES)


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
