"""All answers to the eval split as one Parquet file: a row an example, however many there are.

Imports neither TensorFlow nor TFX: the dashboard reads by it what the Report node writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from trainer.assessment import Assessment

FILE = "answers.parquet"
"""In the folder of a report."""
SLICE = "slice "
"""What the names of columns begin with that hold the value of a slice."""
COLUMNS: Mapping[str, str] = {
    "example": "string",  # as previews are called, the same in all runs that read this example
    "place": "int64",  # in the split, from 0 on
    "asked": "string",  # what of the example can be read
    "truth": "string",
    "answer": "string",
    "correct": "bool_",
    "confidence": "float32",
    "loss": "float32",
}
"""Name -> type, as pyarrow calls it."""
MOST_LETTERS = 300
"""Of a text in a cell."""
ROWS_HELD = 10_000
"""Of the file; so many are in memory while it is written."""


class AnswersData(TypedDict):
    """What a report says of the table: its `rows`, what `loss` is, and the columns of its slices."""

    rows: int
    loss: str
    slices: list[str]


class AnswerTable:
    """Writes the file, row by row; to be closed."""

    def __init__(self, directory: Path, slices: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        fields = {**COLUMNS, **{f"{SLICE}{name}": "string" for name in slices}}
        self._schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in fields.items()])
        self._writer = pq.ParquetWriter(directory / FILE, self._schema, compression="zstd")
        self._held: list[dict[str, Any]] = []
        self._about = AnswersData(rows=0, loss="", slices=slices)

    def add(self, example: str, place: int, asked: str, assessed: Assessment, slices: Mapping[str, str]) -> None:
        """`slices`: column -> value; those that the table has no column for, and that it lacks, are left empty."""
        row = {
            "example": example,
            "place": place,
            "asked": _short(asked),
            "truth": _short(assessed.truth),
            "answer": _short(assessed.answer),
            "correct": assessed.correct,
            "confidence": assessed.confidence,
            "loss": assessed.loss,
        }
        self._held.append(row | {f"{SLICE}{name}": _short(value) for name, value in slices.items()})
        self._about["rows"] += 1
        self._about["loss"] = self._about["loss"] or assessed.loss_name
        if len(self._held) == ROWS_HELD:
            self._flush()

    def close(self) -> AnswersData:
        """What the report says of it."""
        self._flush()
        self._writer.close()
        return self._about

    def _flush(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._held, schema=self._schema))
        self._held = []


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"
