"""What `benison predict` is given, read by the rules by which a run reads its data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, cast

from data.columns import BadColumn, Column, Content, Value, encode_row
from data.errors import BadValue, DataRefused, WrongUse
from data.folders import tables, windows
from data.folders.files import Inside
from data.folders.layouts import table_fields
from data.folders.series import is_series, series_table
from pipelines.console.usage import inputs_of, needed, usual
from trainer.task import Task

_SMALL = 128
"""Bytes that a value takes which is no medium and no text, about."""


@dataclass(frozen=True)
class Example:
    """One input: where it stands (`row` for those in tables) and its features."""

    file: Path
    row: int | None
    values: dict[str, Value]

    @property
    def place(self) -> str:
        return str(self.file) if self.row is None else f"{self.file}, row {self.row}"


class CheckedExamples:
    """All examples that `read` yields, each of them checked when this is made: what is wrong with the last one is
    raised before the first is used.

    The first HELD_BYTES of them are held; those behind are read a second time when their turn comes.
    """

    HELD_BYTES: ClassVar[int] = 256 * 2**20

    def __init__(self, read: Callable[[], Iterator[Example]]) -> None:
        self._read, self._held, self._more = read, list[Example](), False
        size = 0
        for example in read():
            size += sum(len(value) if isinstance(value, bytes) else _SMALL for value in example.values.values())
            self._more = size > self.HELD_BYTES
            if not self._more:
                self._held.append(example)

    def __iter__(self) -> Iterator[Example]:
        yield from self._held
        if self._more:
            yield from islice(self._read(), len(self._held), None)


def read_examples(
    files: Sequence[Path],
    task_class: type[Task],
    names: Mapping[str, Sequence[str]] | None = None,
    chosen: Mapping[str, str] | None = None,
) -> Iterator[Example]:
    """The examples that `files` hold, checked.

    A file is one example where it is no table and the task needs one medium or text and nothing else, or nothing at all
    but learns from one medium. A table has a column for each input, under the names that it has in training's own
    tables (`file_name` ...) or the input's own; columns that are no inputs, as the targets, are ignored. Tables of
    measurements go by the `names` that training's had: column of the task -> columns of the table. `chosen` are inputs
    that need not be given, as a temperature, for all examples whose row does not say otherwise.

    Raises:
      WrongUse: a file is not there, or is no table where one is needed; what is chosen is no such input.
      DataRefused: an input is not what the task's columns ask for.
    """
    columns = inputs_of(task_class)
    alone = usual(columns)
    in_file = len(alone) == 1 and (columns[alone[0]].is_media or columns[alone[0]].may_be_file)
    media = alone[0] if in_file else None
    chosen = chosen_beside_files(chosen or {}, columns)
    for path in files:
        if not path.is_file():
            raise WrongUse(f"{path} is {'no file' if path.exists() else 'not there'}", "give files that can be read")
        if media and path.suffix.lower() not in tables.SUFFIXES:
            yield Example(
                path,
                None,
                _encoded(
                    str(path), columns, {**chosen, media: columns[media].in_file(str(path))}, _from_anywhere(columns)
                ),
            )
        elif windows.has_windows(columns):
            yield from _latest_windows(path, task_class, columns, names or {}, chosen)
        else:
            yield from _rows(path, task_class, columns, chosen)


def chosen_beside_files(chosen: Mapping[str, str], columns: Mapping[str, Column]) -> Mapping[str, str]:
    """Raises WrongUse where it names what the files have to hold, or nothing."""
    may = [name for name in columns if name not in needed(columns) and not columns[name].in_folder]
    for name in chosen:
        if name not in may:
            said = f"beside files it may be {', '.join(may)}" if may else "give either files or --input NAME=VALUE"
            raise WrongUse(f"--input {name}={chosen[name]} beside files: they hold the {name}, or nothing does", said)
    return chosen


def given_example(given: Mapping[str, str], task_class: type[Task], task_name: str) -> Example:
    """The one example that `--input NAME=VALUE` describes; of media the value is a path.

    Raises:
      WrongUse: a name is no input, an input is lacking, a path is no file, or the task needs a table.
      DataRefused: a value is not what its column asks for.
    """
    columns = inputs_of(task_class)
    if windows.has_windows(columns):
        raise WrongUse(f"{task_name} predicts from a table of measurements", f"benison predict {task_name} TABLE")
    for name in given:
        if name not in columns:
            raise WrongUse(f"{task_name} has no input {name!r}", f"its inputs: {', '.join(columns)}")
    lacking = [name for name in needed(columns) if name not in given]
    if lacking:
        usage = " ".join(f"--input {name}=..." for name in columns)
        raise WrongUse(f"no value for the input {', '.join(lacking)}", f"benison predict {task_name} {usage}")
    for name, value in given.items():
        if columns[name].is_media and not Path(value).is_file():
            raise WrongUse(f"{value} is not a file", f"give {name} the path of a {columns[name].noun}")
    stem = "-".join(Path(value).name if columns[name].is_media else value for name, value in given.items())
    return Example(
        Path(stem[:40].replace("/", "_")), None, _encoded("--input", columns, given, _from_anywhere(columns))
    )


def _refuse_no_table(path: Path, columns: Mapping[str, Column]) -> None:
    if path.suffix.lower() not in tables.SUFFIXES:
        asked = f"with the columns {', '.join(needed(columns))}"
        raise WrongUse(f"{path} is no table", f"give {', '.join(tables.SUFFIXES)} {asked}")


def _rows(
    path: Path, task_class: type[Task], columns: Mapping[str, Column], chosen: Mapping[str, str]
) -> Iterator[Example]:
    _refuse_no_table(path, columns)
    present = tables.column_names(path)
    trained = table_fields(task_class.columns)
    fields = {name: trained[name] if trained.get(name) in present else name for name in columns}
    lacking = [name for name in needed(columns) if fields[name] not in present]
    if lacking:
        raise DataRefused(
            f"{path} lacks the column {', '.join(lacking)}; it has {', '.join(present)}",
            f"Give it the columns {', '.join(needed(columns))}.",
        )
    read = _relative_to(path.parent, columns)
    for row in _good_rows(path, fields.values()):
        values = _or_chosen({name: row.values.get(field) for name, field in fields.items()}, columns, chosen)
        yield Example(path, row.number, _encoded(f"{path}, row {row.number}", columns, values, read))


def _or_chosen(
    values: Mapping[str, Any], columns: Mapping[str, Column], chosen: Mapping[str, str]
) -> Mapping[str, Any]:
    """A row's values, and of what it does not say those that are chosen for all."""
    return {**values, **{name: v for name, v in chosen.items() if columns[name].is_missing(values.get(name))}}


def _measurements(
    path: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]
) -> Iterator[Example]:
    """The rows of a table under its owner's names."""
    _refuse_no_table(path, columns)
    table, read = series_table(path, columns, names), _relative_to(path.parent, columns)
    for row in _good_rows(path, table.wanted):
        values = _or_chosen(table.values(row), columns, chosen)
        yield Example(path, row.number, _encoded(f"{path}, row {row.number}", columns, values, read))


def _good_rows(path: Path, wanted: Collection[str]) -> Iterator[tables.Row]:
    for row in tables.rows(path, wanted):
        if row.reason:
            raise DataRefused(f"{path}, row {row.number}: {row.reason}", "Mend this row, or leave it out.")
        yield row


def _latest_windows(
    path: Path,
    task_class: type[Task],
    columns: Mapping[str, Column],
    names: Mapping[str, Sequence[str]],
    chosen: Mapping[str, str],
) -> Iterator[Example]:
    """The last window of each series in an ordered table."""
    time = windows.time_column(columns)
    rows = list(
        _measurements(path, columns, names, chosen) if is_series(columns) else _rows(path, task_class, columns, chosen)
    )
    clocks = windows.clocks((windows.series_of(columns, r.values), int(cast(int, r.values[time]))) for r in rows)
    maker = windows.Windows(columns, clocks, with_ahead=False)
    for row in rows:
        try:
            maker.push(row.row, row.values)
        except BadValue as error:
            raise DataRefused(f"{path}, row {row.row}: {time}: {error}", "Sort the table by time.") from None
    found = [Example(path, place, values) for place, values in maker.last()]
    if not found:
        steps = max(column.rows_needed for column in columns.values())
        raise DataRefused(
            f"{path}: no series ends in {steps} rows without a gap in time", f"Give the last {steps} rows of a series."
        )
    yield from found


def _encoded(
    where: str, columns: Mapping[str, Column], values: Mapping[str, Any], read: Callable[[str, Any], Content]
) -> dict[str, Value]:
    left_out = {name: column.stand_in for name, column in columns.items() if column.is_missing(values.get(name))}
    standing_in = {name: value for name, value in left_out.items() if value is not None}

    def content(name: str, value: Any) -> Content:
        return standing_in[name] if name in standing_in else read(name, value)

    try:
        return encode_row(columns, {**values, **standing_in}, content)
    except BadColumn as error:
        raise DataRefused(f"{where}: {error}", f"Give a {columns[error.column].noun}, as in training.") from None


def _from_anywhere(columns: Mapping[str, Column]) -> Callable[[str, Any], Content]:
    """Reads the file that a person named: who names a link means what it leads to. Each is opened in its own folder."""

    def read(name: str, path: Any) -> Content:
        real = Path(path).resolve()
        return Inside(real.parent).content(str(real.parent), real.name, columns[name].streamed)

    return read


def _relative_to(folder: Path, columns: Mapping[str, Column]) -> Callable[[str, Any], Content]:
    inside = Inside(folder)

    def read(name: str, path: Any) -> Content:
        return inside.content(str(folder), path, columns[name].streamed)

    return read
