"""Rows of CSV, JSONL and Parquet files, streamed; what is wrong with a row is told, not raised."""

from __future__ import annotations

import csv
import json
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from data.errors import BadValue, DataRefused

SUFFIXES = (".csv", ".jsonl", ".parquet")
MAX_LINE_BYTES = 16 * 2**20

_LINES_LOOKED_AT = 20
_PARQUET_BATCH = 64  # rows that are Python objects at a time
_PARQUET_BUFFER_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is the line on which it begins (the first line of a file is 1), for Parquet the row (from 1).

    `values` holds the wanted columns that the row has; a value that cannot be read is there as a BadValue. Where the
    whole row cannot be read, `reason` says why and `values` is empty.
    """

    number: int
    values: dict[str, Any]
    reason: str = ""


def rows(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    """All rows of the table in file order, good and bad, in memory that does not grow with the file."""
    return _READERS[path.suffix.lower()](path, wanted)


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a table: header, schema, or for JSONL the keys of its first lines.

    Raises:
      DataRefused: the table is empty or unreadable as a whole, or a name occurs twice.
    """
    with _refusing(path):
        names = _NAMES[path.suffix.lower()](path)
    if not names:
        raise DataRefused(f"{path}: the table is empty", "Write its rows into it, or remove it.")
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataRefused(f"{path}: more than one column is called {', '.join(twice)}", "Give each a name of its own.")
    return tuple(names)


def first_line(path: Path) -> list[str]:
    """The fields of the first line of a CSV file, whether it is a header or not.

    Raises:
      DataRefused: the file is empty or unreadable as a whole.
    """
    with _refusing(path):
        names = _csv_names(path)
    if not names:
        raise DataRefused(f"{path}: the table is empty", "Write its rows into it, or remove it.")
    return names


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataRefused(f"{path} cannot be read: {error}", "Save it as UTF-8, or write it again.") from error


# --- lines ---


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    raw: bytes
    too_long: bool


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES):
        number += 1
        too_long = len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n")
        rest = raw
        while too_long and rest and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES)
        yield _Line(number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, too_long)


# --- JSONL ---


def _jsonl_rows(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    with path.open("rb") as stream:
        for line in _lines(stream):
            if not line.too_long and not line.raw.strip():
                continue
            content, reason = _json_object(line)
            yield Row(line.number, {name: content[name] for name in wanted if name in content}, reason)


def _json_object(line: _Line) -> tuple[dict[str, Any], str]:
    """The object on a line, or an empty one and the reason."""
    if line.too_long:
        return {}, f"the line is longer than {MAX_LINE_BYTES} bytes"
    try:
        content = json.loads(line.raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return {}, f"not valid UTF-8 (byte {error.start + 1} of the line)"
    except json.JSONDecodeError as error:
        return {}, f"not valid JSON: {error.msg} (character {error.pos + 1} of the line)"
    except (RecursionError, ValueError) as error:
        return {}, f"not usable JSON: {error}"
    if not isinstance(content, dict):
        return {}, "not a JSON object; write one {...} per line"
    return content, ""


def _jsonl_names(path: Path) -> list[str]:
    with path.open("rb") as stream:
        contents = (_json_object(line)[0] for line in islice(_lines(stream), _LINES_LOOKED_AT))
        names = list(dict.fromkeys(name for content in contents for name in content))
    if not names and path.stat().st_size:
        raise DataRefused(f"{path}: none of its first lines is a JSON object", "Write one {...} per line.")
    return names


# --- CSV ---


class _CsvLines:
    """Feeds csv.reader, and can take back lines that an unclosed quote has swallowed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._source = _lines(stream)
        self._ahead: deque[_Line] = deque()
        self.taken: list[_Line] = []

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._source)
        self.taken.append(line)
        if line.too_long:
            raise csv.Error(f"the line is longer than {MAX_LINE_BYTES} bytes")
        # A bad byte must not shift the fields: it stays in its field as a lone surrogate, which columns refuse.
        return line.raw.decode("utf-8", "surrogateescape")

    def give_back(self) -> None:
        """All taken lines but the first will be read again."""
        self._ahead.extendleft(reversed(self.taken[1:]))


def _csv_records(stream: BinaryIO) -> Iterator[tuple[int, list[str], str]]:
    """First line, fields and the reason why there are none, for each record that is not blank."""
    csv.field_size_limit(MAX_LINE_BYTES)  # of the whole process; the default, 131,072 characters, is below long texts
    lines = _CsvLines(stream)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.taken.clear()
        try:
            fields, reason = next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            fields, reason = [], _csv_reason(str(error))
            lines.give_back()
        if fields or reason:
            yield lines.taken[0].number, fields, reason


def _csv_reason(error: str) -> str:
    if error == "unexpected end of data":
        return "a quote that opens here is never closed"
    if error.startswith("field larger"):
        return f"a field of more than {MAX_LINE_BYTES} characters, or a quote that is never closed"
    if "expected after" in error:
        return 'text after a closing quote; write a quote inside a field twice ("")'
    if error.startswith("new-line character"):
        return "a carriage return outside quotes"
    return error


def _csv_rows(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    with path.open("rb") as stream:
        header = next(_csv_records(stream))[1]
    yield from csv_rows(path, header, header_first=True, wanted=wanted)


def csv_rows(
    path: Path, header: Sequence[str], *, header_first: bool, wanted: Collection[str] | None = None
) -> Iterator[Row]:
    """As `rows`, of a CSV file whose columns are called as `header` says.

    `header_first`: whether its first line is a header. `wanted`: all columns where it is None.
    """
    with path.open("rb") as stream:
        records = _csv_records(stream)
        first = next(records)[1] if header_first else None
        places = [(name, header.index(name)) for name in (header if wanted is None else wanted) if name in header]
        for number, fields, reason in records:
            if reason:
                yield Row(number, {}, reason)
            elif len(fields) != len(header):
                yield Row(number, {}, f"{len(fields)} fields; the header has {len(header)}")
            elif fields == first:
                yield Row(number, {}, "the header again")
            else:
                yield Row(number, {name: fields[place] for name, place in places})


def _csv_names(path: Path) -> list[str]:
    with path.open("rb") as stream:
        _, header, reason = next(_csv_records(stream), (1, [], ""))
    if reason:
        raise DataRefused(f"{path}: the header cannot be read: {reason}", "Mend the first line.")
    for name in header:
        name.encode()  # lone surrogates stand for bytes that are no UTF-8
    if len(header) == 1 and (separator := next((mark for mark in ";\t|" if mark in header[0]), "")):
        raise DataRefused(
            f"{path}: fields are separated by {separator!r}", "Save the table with commas between fields."
        )
    return header


# --- Parquet ---


def _parquet_rows(path: Path, wanted: Collection[str]) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    done = 0
    with pq.ParquetFile(path, buffer_size=_PARQUET_BUFFER_BYTES) as table:
        present = [name for name in table.schema_arrow.names if name in wanted]
        try:
            for batch in table.iter_batches(_PARQUET_BATCH, columns=present):
                columns = {name: _arrow_values(batch.column(name)) for name in present}
                for place in range(batch.num_rows):
                    yield Row(done + place + 1, {name: values[place] for name, values in columns.items()})
                done += batch.num_rows
        except (OSError, pa.ArrowException) as error:
            # Each lost row is told, so that the share of bad records is the true one.
            for number in range(done + 1, table.metadata.num_rows + 1):
                yield Row(number, {}, f"the Parquet file is damaged from here on: {error}")


def _arrow_values(array: Any) -> list[Any]:
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:
        return [_arrow_value(value) for value in array]


def _arrow_value(value: Any) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return BadValue("not valid UTF-8")


def _parquet_names(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except pa.ArrowException as error:
        raise DataRefused(f"{path} is no readable Parquet file: {error}", "Write it again.") from error


_READERS = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
_NAMES = {".csv": _csv_names, ".jsonl": _jsonl_names, ".parquet": _parquet_names}
