"""Listing a folder of many small files: its fingerprint, its layout, and the shards that it is read in.

It is to take time and memory in proportion to the files: what one file of the larger folder takes is set against what
one of the smaller takes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import measure

SMALL, LARGE = 100_000, 1_000_000
CLASSES = 10
AT_MOST = 1.3
"""What is sorted takes a little more than in proportion."""


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        folders = {count: Path(scratch, str(count)) for count in (SMALL, LARGE)}
        for count, folder in folders.items():
            measure.call("listing", "write_files", folder=str(folder), count=count)
        found: dict[int, list[dict[str, Any]]] = {count: [] for count in folders}
        for _ in range(options.repeats):
            for count, folder in folders.items():
                found[count].append(measure.call("listing", "listed", folder=str(folder)))
    small, large = (min(found[count], key=lambda one: one["seconds"]) for count in (SMALL, LARGE))
    what = f"listing {LARGE:,} files ({large['seconds']:.1f} s, {large['megabytes']:.0f} MB): one file's"
    against = f"one of {SMALL:,}"
    return [
        measure.Row(f"{what} time", _each(large, "seconds"), _each(small, "seconds"), "µs", against, at_most=AT_MOST),
        measure.Row(
            f"{what} memory", _each(large, "megabytes"), _each(small, "megabytes"), "B", against, at_most=AT_MOST
        ),
    ]


def _each(found: dict[str, Any], name: str) -> float:
    """Of one file: microseconds of seconds, bytes of megabytes."""
    return float(found[name]) * 1e6 / int(found["files"])


def write_files(folder: str, count: int) -> None:
    """`count` empty files that are called pictures, in folders of classes."""
    for number in range(count):
        path = Path(folder, f"class-{number % CLASSES}", f"{number:07}.png")
        if number < CLASSES:
            path.parent.mkdir(parents=True)
        path.touch()


def listed(folder: str) -> dict[str, Any]:
    """How many files there are by the shards of a folder of pictures, and what it took to know all of them."""
    from data.columns import Image, Label
    from data.folders.files import tree_digest
    from data.folders.folder import DataFolder
    from pipelines.memory import peak_rss_mb

    before, begun = peak_rss_mb(), time.perf_counter()
    tree_digest(folder)
    pictures = DataFolder(folder, {"image": Image(), "label": Label()})
    shards = pictures.shards()
    pictures.settle(shards)
    files = sum(sum(1 for _ in pictures.items("all", shard, shards)) for shard in range(shards))
    return {
        "files": files,
        "seconds": time.perf_counter() - begun,
        "megabytes": peak_rss_mb() - before,
    }


if __name__ == "__main__":
    measure.main(rows, __doc__)
