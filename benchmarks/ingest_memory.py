"""Peak memory of ingestion through Beam's in-memory runner, against the size of the data: 1, 4 and 16 times."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import measure

PICTURES = 100
"""At size 1; 256 x 256 x 3 bytes of noise, which PNG cannot make smaller: about 20 MB."""

AT_MOST = 1.2
"""Of the peak at size 1. Data held whole would add 80 and 320 MB and more to it."""


def rows(options: measure.Options) -> list[measure.Row]:
    with tempfile.TemporaryDirectory() as scratch:
        folders = {size: Path(scratch, f"data-{size}") for size in (1, 4, 16)}
        megabytes = {
            size: measure.call("ingest_memory", "write_pictures", folder=str(folder), count=size * PICTURES)
            for size, folder in folders.items()
        }

        def peak(size: int) -> float:
            with tempfile.TemporaryDirectory(dir=scratch) as workspace:
                command = [measure.BENISON, "run", "image_classification", "--data", str(folders[size])]
                return measure.run([*command, "--to", "FolderExampleGen", "--workspace", workspace]).peak_rss_mb

        median = measure.interleaved(options.repeats, **{str(size): lambda s=size: peak(s) for size in folders})
    against = f"the same of {megabytes[1]:.0f} MB"
    return [
        measure.Row(
            f"peak memory of ingesting {megabytes[size]:.0f} MB",
            median[str(size)],
            median["1"],
            "MB",
            against,
            at_most=AT_MOST,
        )
        for size in (4, 16)
    ]


def write_pictures(folder: str, count: int) -> float:
    """Writes `count` PNG files of noise in two classes; returns their size in megabytes."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    size = 0
    for number in range(count):
        path = Path(folder, f"class-{number % 2}", f"{number:05}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (256, 256, 3), np.uint8)).save(path)
        size += path.stat().st_size
    return size / 1e6


if __name__ == "__main__":
    measure.main(rows, __doc__)
