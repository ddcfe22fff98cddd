"""The table of all answers of a run, as its file holds it: what a person chose of it, in which order, page by page.

The file may hold anything: it is read only if its size, its rows and the types of its columns are what they should be.
pyarrow is imported where a table is read.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from components.report.answer_table import COLUMNS, FILE, SLICE
from dashboard import address, texts
from dashboard.address import Query
from dashboard.store import Damaged, Run, Store

MOST_BYTES = 50_000_000
"""Of the file."""
MOST_UNPACKED_BYTES = 500_000_000
MOST_ROWS = 100_000
PAGE_ROWS = 25
VERDICTS: Mapping[str, bool | None] = {"wrong": False, "right": True, "unjudged": None}
"""Of answers and of examples, by their name in addresses."""
SORTS: Mapping[str, tuple[str, str]] = {
    "worst": ("loss", "descending"),
    "best": ("loss", "ascending"),
    "surest": ("confidence", "descending"),
    "least sure": ("confidence", "ascending"),
    "place": ("place", "ascending"),
}
"""Name in addresses -> column and direction. What has no value comes last."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

Table = Any
"""A pyarrow.Table with the columns of `components.report.answer_table`."""


@dataclass(frozen=True)
class Choice:
    """What of the answers is shown, as it stands in an address.

    Attributes:
      truth, answer: just this one; empty for all.
      verdict: wrong, right or unjudged; empty for all.
      slice: "column: value", as the metrics call it.
      text: what is in the example's text, its truth or its answer, in any case.
      least, below: bounds of the confidence; those of 1 and more are below a `below` of 1.
      sort: one of `SORTS`.
    """

    truth: str = ""
    answer: str = ""
    verdict: str = ""
    slice: str = ""
    text: str = ""
    least: float | None = None
    below: float | None = None
    sort: str = "worst"
    page: int = 1

    @classmethod
    def of(cls, found: Query) -> Choice:
        """What an address says, as far as it can be understood."""
        said = {name: address.first(found, name) for name in ("truth", "answer", "verdict", "slice", "text", "sort")}
        return cls(
            truth=said["truth"],
            answer=said["answer"],
            verdict=said["verdict"] if said["verdict"] in VERDICTS else "",
            slice=said["slice"],
            text=said["text"],
            least=_share(address.first(found, "least")),
            below=_share(address.first(found, "below")),
            sort=said["sort"] if said["sort"] in SORTS else cls.sort,
            page=int(number) if re.fullmatch("[1-9][0-9]{0,5}", number := address.first(found, "page")) else 1,
        )

    def query(self, **changes: Any) -> str:
        """The same with these changes as it stands in an address, without what is as usual."""
        usual = asdict(Choice())
        chosen = {name: value for name, value in asdict(replace(self, **changes)).items() if value != usual[name]}
        return urlencode(chosen, errors="replace")


def _share(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def read(store: Store, run: Run) -> Table | None:
    """All answers of a run; None where it left none. Raises Damaged."""
    content = store.report_file(run, FILE, MOST_BYTES)
    if not content:
        return None
    import pyarrow as pa
    import pyarrow_hotfix  # noqa: F401 (what else a file could make this version of pyarrow do)
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(pa.BufferReader(content)) as file:
            names = _known_columns(file)
            table = file.read(columns=names, use_threads=False)
        table.validate(full=True)
        if table["example"].null_count or table["place"].null_count:
            raise ValueError("a row lacks its example or its place")
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        words = " ".join(texts.visible(str(error)).split())[:200] or type(error).__name__
        raise Damaged(f"{run.key}/report/{FILE} cannot be read: {words}") from None
    return table


def _known_columns(file: Any) -> list[str]:
    """The columns that are read. Raises ValueError where the file is not of the form that runs write."""
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    if file.metadata.num_rows > MOST_ROWS or sum(one.total_byte_size for one in groups) > MOST_UNPACKED_BYTES:
        raise ValueError(f"it holds more than {MOST_ROWS:,} rows or {MOST_UNPACKED_BYTES:,} bytes")
    schema = file.schema_arrow
    kinds = {name: str(schema.field(name).type) for name in schema.names}
    wanted = {name: kind.removesuffix("_").replace("float32", "float") for name, kind in COLUMNS.items()}
    wanted |= {name: "string" for name in kinds if name.startswith(SLICE)}
    if len(kinds) != len(schema.names):
        raise ValueError("two columns have one name")
    for name, kind in wanted.items():
        if kinds.get(name) != kind:
            raise ValueError(f"the column {texts.visible(name)!r} is {kinds.get(name, 'lacking')}, not {kind}")
    return list(wanted)


def slices_of(table: Table) -> list[str]:
    """The columns that hold slices, by the names that metrics call them."""
    return [name.removeprefix(SLICE) for name in table.column_names if name.startswith(SLICE)]


def chosen(table: Table, choice: Choice) -> Table:
    """The answers that are of the choice, in its order."""
    import pyarrow.compute as pc

    conditions = list(_conditions(table, choice))
    for condition in conditions[1:]:
        conditions[0] = pc.and_(conditions[0], condition)
    found = table.filter(conditions[0]) if conditions else table
    column, direction = SORTS[choice.sort]
    keys = [(column, direction)] + ([("place", "ascending")] if column != "place" else [])
    return found.take(pc.sort_indices(found, sort_keys=keys, null_placement="at_end"))


def _conditions(table: Table, choice: Choice) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    def holds(condition: Any) -> Any:
        return pc.fill_null(condition, False)

    for name in ("truth", "answer"):
        if wanted := getattr(choice, name):
            yield holds(pc.equal(table[name], wanted))
    if choice.verdict:
        judged = VERDICTS[choice.verdict]
        yield pc.is_null(table["correct"]) if judged is None else holds(pc.equal(table["correct"], judged))
    if choice.slice:
        column, _, value = choice.slice.partition(": ")
        known = f"{SLICE}{column}" in table.column_names
        none = pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
        yield holds(pc.equal(table[f"{SLICE}{column}"], value)) if known else none
    if choice.text:
        found = [
            holds(pc.match_substring(table[name], choice.text, ignore_case=True))
            for name in ("asked", "truth", "answer")
        ]
        yield pc.or_(pc.or_(found[0], found[1]), found[2])
    if choice.least is not None:
        yield holds(pc.greater_equal(table["confidence"], pa.scalar(choice.least, pa.float64())))
    if choice.below is not None and choice.below < 1:
        yield holds(pc.less(table["confidence"], pa.scalar(choice.below, pa.float64())))


def row_of(table: Table, example: str) -> dict[str, Any] | None:
    """The answer to the example that is called so, fit to be shown."""
    import pyarrow.compute as pc

    found = table.filter(pc.equal(table["example"], example)).slice(0, 1).to_pylist()
    return shown(found[0]) if found else None


def most_frequent(table: Table, column: str, most: int) -> list[str]:
    """The values of a column of texts, the most frequent first."""
    import pyarrow.compute as pc

    counts = {one["values"]: one["counts"] for one in pc.value_counts(table[column]).to_pylist() if one["values"]}
    return sorted(counts, key=lambda value: (-counts[value], value))[:most]


def page(table: Table, number: int) -> tuple[int, int, list[dict[str, Any]]]:
    """The page of this number, or the nearest: its number, how many there are, and its rows, fit to be shown."""
    pages = max(1, -(-table.num_rows // PAGE_ROWS))
    number = max(1, min(number, pages))
    rows = table.slice((number - 1) * PAGE_ROWS, PAGE_ROWS).to_pylist()
    return number, pages, [shown(row) for row in rows]


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose texts a page can show, and whose numbers are finite or None."""
    return {texts.visible(name): _shown(value) for name, value in row.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return texts.visible(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_csv(table: Table) -> str:
    """As spreadsheets read it: a text that they would take for a formula begins with an apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([_harmless(name) for name in table.column_names])
    for batch in table.to_batches(max_chunksize=10_000):
        writer.writerows([_harmless(value) for value in row.values()] for row in batch.to_pylist())
    return stream.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_parquet(table: Table) -> bytes:
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def slice_of(row: Mapping[str, Any]) -> Sequence[str]:
    """The slices that a row is of, in words."""
    return [f"{name.removeprefix(SLICE)}: {value}" for name, value in row.items() if name.startswith(SLICE) and value]
