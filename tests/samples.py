"""Small made-up data folders for the columns of any task, so that a new task is tested by existing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from data.columns import (
    Ahead,
    Audio,
    Boxes,
    Column,
    Companions,
    Identifier,
    Image,
    Integer,
    Label,
    Number,
    Seed,
    SeriesName,
    Text,
    Timestamp,
    Window,
)

WORDS = ("left", "middle", "right", "upper", "lower")
CLASSES = WORDS[:3]
SERIES = 2
WIDTH, HEIGHT = 32, 24
RATE = 8000
WORD_SECONDS = 0.5
FIRST_HOUR = np.datetime64("2026-01-01T00:00:00")


@dataclass(frozen=True)
class Subject:
    """What one record is about; all of its columns tell of it.

    `kind` is its class, the first of its `words`; `hour` orders the records; `boxes` are x, y, width, height and class.
    """

    hour: int
    kind: int
    words: tuple[int, ...]
    boxes: tuple[tuple[int, int, int, int, int], ...]


def write_sample(columns: Mapping[str, Column], folder: Path, examples: int, seed: int = 0) -> Path:
    """A valid folder of `examples` records to train and half as many to evaluate, optional columns included.

    `train/` and `eval/`, or, for columns with windows, `train.csv` and `eval.csv` of two series in turn, with as many
    rows as so many windows need. Returns `folder`.
    """
    rng = np.random.default_rng(seed)
    hour = 0
    for split, count in (("train", examples), ("eval", -(-examples // 2))):
        if any(isinstance(column, Window) for column in columns.values()):
            hours = range(hour, hour + _hours_needed(columns, count))
            rows = [_row(columns, folder, _subject(h, series, rng)) for h in hours for series in range(SERIES)]
            _write_csv(folder / f"{split}.csv", rows)
        else:
            hours = range(hour, hour + count)
            (folder / split).mkdir(parents=True)
            rows = [_row(columns, folder / split, _subject(h, h % len(CLASSES), rng)) for h in hours]
            name = "metadata.jsonl" if any(column.is_media for column in columns.values()) else "rows.jsonl"
            (folder / split / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        hour = hours.stop
    return folder


def _hours_needed(columns: Mapping[str, Column], windows: int) -> int:
    before = max(column.steps for column in columns.values() if isinstance(column, Window))
    after = max((column.steps for column in columns.values() if isinstance(column, Ahead)), default=0)
    return -(-windows // SERIES) + before + after - 1


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _subject(hour: int, kind: int, rng: np.random.Generator) -> Subject:
    words = (kind, *(int(word) for word in rng.integers(len(WORDS), size=rng.integers(3))))
    return Subject(hour, kind, words, tuple(_boxes(kind, rng)))


def _boxes(kind: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int, int, int]]:
    """One of each of some classes, beside each other: the record's own, and up to two more."""
    third = WIDTH // 3
    for place, which in enumerate((kind, *rng.choice(len(CLASSES), size=rng.integers(3), replace=False))):
        width, height = (int(side) for side in rng.integers(6, third, size=2))
        x, y = place * third + int(rng.integers(third - width + 1)), int(rng.integers(HEIGHT - height + 1))
        yield x, y, width, height, int(which)


def _row(columns: Mapping[str, Column], folder: Path, subject: Subject) -> dict[str, Any]:
    """One row of a table. Media go beside it."""
    media = [name for name, column in columns.items() if column.is_media]
    row: dict[str, Any] = {}
    for position, (name, column) in enumerate(columns.items()):
        if isinstance(column, (Seed, Ahead)):
            continue
        if isinstance(column, Companions):
            row |= {"others of one": subject.kind, "others of two": -subject.hour}
            continue
        field = name if name not in media else "file_name" if name == media[0] else f"{name}_file_name"
        row[field] = _value(column, position, folder / f"{name}-{subject.hour:04}", subject)
    return row


def _value(column: Column, position: int, path: Path, subject: Subject) -> Any:
    """`position` is the column's among all, so that two of a kind differ; media are written to `path` and a suffix."""
    match column:
        case Image():
            Pillow.fromarray(_picture(subject, position)).save(path.with_suffix(".png"))
            return f"{path.name}.png"
        case Audio():
            import soundfile

            soundfile.write(path.with_suffix(".wav"), _sound(subject, column), RATE)
            return f"{path.name}.wav"
        case Boxes():
            return [{"bbox": box, "label": _class(column, which)} for *box, which in subject.boxes]
        case Label():
            return _class(column, subject.kind)
        case Text():
            words = [WORDS[word] for word in subject.words]
            return " ".join(words if position % 2 == 0 else [word[::-1] for word in words])[: column.max_characters]
        case SeriesName():
            return f"series {subject.kind}"
        case Identifier():
            return f"{path.name.partition('-')[0]}-{subject.hour * (position + 1) % (7 + position)}"
        case Timestamp():
            return str(FIRST_HOUR + np.timedelta64(subject.hour, "h"))
        case Integer():
            return max(column.minimum, min(column.maximum, column.minimum * (column.minimum > 0) + subject.kind))
        case Number():
            level = subject.kind + position + np.sin(subject.hour / 4)
            return float(np.clip(level, column.minimum, column.maximum))
    raise NotImplementedError(f"no sample of {type(column).__name__}")


def _class(column: Label | Boxes, kind: int) -> str:
    names = column.classes or CLASSES
    return names[kind % len(names)]


def _picture(subject: Subject, position: int) -> np.ndarray:
    """uint8 `[HEIGHT, WIDTH, 3]`: noise, with a rectangle in the colour of its class in each box."""
    pixels = np.random.default_rng([subject.hour, position]).integers(0, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for x, y, width, height, which in subject.boxes:
        pixels[y : y + height, x : x + width, which] = 230
    return pixels


def _sound(subject: Subject, column: Audio) -> np.ndarray:
    """float `[samples]`: for each word a tone of its own."""
    seconds = np.clip(WORD_SECONDS * len(subject.words), column.min_seconds, column.max_seconds)
    time = np.arange(int(np.ceil(seconds * RATE))) / RATE
    spoken = np.minimum(time / seconds * len(subject.words), len(subject.words) - 1).astype(int)
    pitch = 300.0 * (1 + np.array(subject.words)[spoken])
    noise = np.random.default_rng(subject.hour).normal(size=len(time))
    return 0.5 * np.sin(2 * np.pi * pitch * time) + 0.01 * noise
