"""A whole run of the demo from an empty workspace, and once more with nothing changed: Benison, stock TFX, bare Keras.

All train the same model for the same number of steps on the same pictures, which are on this machine already; stock
TFX is given them as TFRecords. Each run is a fresh process, its imports included.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure

STEPS = 1000  # what the demo takes on its own
LEGACY, KERAS_3 = {"TF_USE_LEGACY_KERAS": "1"}, {"TF_USE_LEGACY_KERAS": "0"}


def rows(options: measure.Options) -> list[measure.Row]:
    steps = str(options.steps or STEPS)
    with tempfile.TemporaryDirectory() as scratch:
        records = Path(scratch, "records")
        data = measure.call("whole_run", "write_records", target=str(records))
        sides = _sides(data, records, Path(scratch), steps)
        median = measure.interleaved(options.repeats, **sides)
    cold, cached = f"cold `benison run image_classification`, {steps} steps", "cached rerun"
    return [
        measure.Row(cold, median["ours"], median["stock"], "s", "stock TFX, nine nodes", at_most=0.6),
        measure.Row(cold, median["ours"], median["bare"], "s", "bare tf_keras script", at_most=2.5),
        measure.Row(cold, median["ours"], median["bare_keras_3"], "s", "bare Keras 3 script", at_most=2.5),
        measure.Row(cached, median["ours_cached"], median["stock_cached"], "s", "stock TFX cached", at_most=0.5),
    ]


def _sides(data: str, records: Path, scratch: Path, steps: str) -> dict[str, Callable[[], float]]:
    """Each round is cold in a workspace of its own, in which the cached reruns come after."""
    round_number = 0

    def place(name: str) -> str:
        return str(scratch / f"{name}-{round_number}")

    def ours(*more: str) -> float:
        command = [measure.BENISON, "run", "image_classification", "--steps", steps, "--workspace", place("ours")]
        return measure.run([*command, *more], accept=(0, measure.NOT_BLESSED)).seconds

    def ours_cold() -> float:
        nonlocal round_number
        round_number += 1
        return ours("--fresh")

    def stock() -> float:
        command = [sys.executable, "-m", "benchmarks.stock_tfx", str(records), place("stock"), steps]
        return measure.run(command, LEGACY).seconds

    def bare(keras: dict[str, str], name: str) -> float:
        return measure.run([sys.executable, "benchmarks/bare_keras.py", data, place(name), steps], keras).seconds

    return {
        "ours": ours_cold,
        "stock": stock,
        "bare": lambda: bare(LEGACY, "bare"),
        "bare_keras_3": lambda: bare(KERAS_3, "bare-3"),
        "ours_cached": ours,
        "stock_cached": stock,
    }


def write_records(target: str) -> str:
    """Writes the demo's pictures and labels as TFRecords; returns the folder of pictures."""
    import numpy as np
    import tensorflow as tf

    from data.sources import catalogue

    def feature(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    data = catalogue.prepare("mnist").root
    for split in ("train", "eval"):
        folder = Path(target, split)
        folder.mkdir(parents=True)
        files = sorted((data / split).glob("*/*.png"))
        np.random.default_rng(0).shuffle(files)  # type: ignore[arg-type]
        with tf.io.TFRecordWriter(str(folder / "pictures.tfrecord.gz"), "GZIP") as writer:
            for file in files:
                features = {"image": feature(file.read_bytes()), "label": feature(file.parent.name.encode())}
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return str(data)


if __name__ == "__main__":
    measure.main(rows, __doc__)
