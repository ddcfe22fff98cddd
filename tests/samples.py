"""Small made-up data folders for the columns of any task, and files in place of its assets: a new task is tested by
existing."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.columns import Column
from data.columns.samples import CLASSES, Media, Subject, subject
from data.folders import windows
from data.folders.layouts import table_fields
from data.sources.assets import ASSETS

SERIES = 2
ANY_SIZE = 8
"""Of a side of a tensor that may be of any length."""


def write_sample(columns: Mapping[str, Column], folder: Path, examples: int, seed: int = 0) -> Path:
    """A valid folder of `examples` records to train and half as many to evaluate, optional columns included.

    `train/` and `eval/`, or, for columns with windows, `train.csv` and `eval.csv` of two series in turn, with as many
    rows as so many windows need. Returns `folder`.
    """
    rng = np.random.default_rng(seed)
    hour = 0
    for split, count in (("train", examples), ("eval", -(-examples // 2))):
        if windows.has_windows(columns):
            hours = range(hour, hour + _hours_needed(columns, count))
            rows = [_row(columns, folder, subject(h, series, rng), rng) for h in hours for series in range(SERIES)]
            _write_csv(folder / f"{split}.csv", rows)
        else:
            hours = range(hour, hour + count)
            (folder / split).mkdir(parents=True)
            rows = [_row(columns, folder / split, subject(h, h % len(CLASSES), rng), rng) for h in hours]
            name = "metadata.jsonl" if any(column.is_media for column in columns.values()) else "rows.jsonl"
            (folder / split / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        hour = hours.stop
    return folder


def write_assets(assets: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Files of made-up tensors in place of a task's assets: a task's name of each -> its file, as `--set` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, asset in assets.items():
        np.savez(folder / f"{name}.npz", **made_up_tensors(ASSETS.get(asset).tensors))
    return {name: str(folder / f"{name}.npz") for name in assets}


def made_up_tensors(shapes: Mapping[str, Sequence[int | None]], seed: int = 0) -> dict[str, np.ndarray]:
    """Kernels that keep the scale of what they are fed (He et al. 2015), normalisations that change nothing."""
    rng = np.random.default_rng(seed)

    def made(name: str, shape: Sequence[int]) -> np.ndarray:
        if len(shape) == 1:
            return np.full(shape, 0.0 if name.endswith(("beta", "mean", "bias")) else 1.0)
        inputs = np.prod(shape[:-2] if shape[-1] == 1 else shape[:-1])  # a depthwise kernel sees one channel
        return rng.normal(0, np.sqrt(2 / inputs), shape)

    sizes = {name: [ANY_SIZE if side is None else side for side in shape] for name, shape in shapes.items()}
    return {name: made(name, shape).astype("f4") for name, shape in sizes.items()}


def _hours_needed(columns: Mapping[str, Column], count: int) -> int:
    before = max(column.rows_needed for column in columns.values())
    after = max(column.rows_ahead for column in columns.values())
    return -(-count // SERIES) + before + after - 1


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _row(columns: Mapping[str, Column], folder: Path, subject: Subject, rng: np.random.Generator) -> dict[str, Any]:
    """One row of a table. Media go beside it."""
    fields = table_fields(columns)
    row: dict[str, Any] = {}
    for position, (name, column) in enumerate(columns.items()):
        if name in fields:
            value = column.sample(name, replace(subject, position=position), rng)
            if isinstance(value, Media):
                file = folder / f"{name}-{subject.hour:04}{value.suffix}"
                file.write_bytes(value.content)
                value = file.name
            row[fields[name]] = value
    return row
