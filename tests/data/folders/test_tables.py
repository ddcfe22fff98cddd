"""Tables as people have them: every row is told with its line, and nothing is read that cannot be vouched for."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import BadValue, DataRefused
from data.folders import tables
from data.folders.tables import Row, column_names, rows


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_tells_the_line_on_which_a_row_begins(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'text,label\n"two\nlines",x\n\nplain,y\n')
    assert column_names(path) == ("text", "label")
    assert list(rows(path, ["label", "text"])) == [
        Row(2, {"label": "x", "text": "two\nlines"}),
        Row(5, {"label": "y", "text": "plain"}),
    ]


def test_only_wanted_columns_are_handed_on(tmp_path: Path) -> None:
    for path in (
        written(tmp_path, "a.csv", "text,label\na,b\n"),
        written(tmp_path, "a.jsonl", '{"text": "a", "label": "b"}\n'),
    ):
        assert [row.values for row in rows(path, ["label", "other"])] == [{"label": "b"}]


def test_an_excel_mark_of_utf8_belongs_to_no_name(tmp_path: Path) -> None:
    assert column_names(written(tmp_path, "a.csv", b"\xef\xbb\xbftext,label\n")) == ("text", "label")
    assert column_names(written(tmp_path, "a.jsonl", b'\xef\xbb\xbf{"text": 1}\n')) == ("text",)


def test_an_unclosed_quote_costs_its_row_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'text,label\n"open,x\ngood,y\nalso good,z\n')
    first, *others = rows(path, ["text", "label"])
    assert first.number == 2 and "never closed" in first.reason
    assert [row.values["text"] for row in others] == ["good", "also good"]
    assert [row.number for row in others] == [3, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,b,c", "3 fields; the header has 2"),
        ("text,label", "the header again"),
        ('"a"b,c', "text after a closing quote"),
    ],
)
def test_a_csv_row_that_cannot_be_read_says_why(tmp_path: Path, line: str, reason: str) -> None:
    [row, good] = rows(written(tmp_path, "a.csv", f"text,label\n{line}\ngood,y\n"), ["text"])
    assert reason in row.reason and row.values == {} and row.number == 2
    assert good == Row(3, {"text": "good"})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"text": "\xff"}', "not valid UTF-8 (byte 11 of the line)"),
        (b'{"text": ' + b"[" * 200_000, "not usable JSON"),
    ],
)
def test_a_jsonl_line_that_cannot_be_read_says_why(tmp_path: Path, line: bytes, reason: str) -> None:
    [row, good] = rows(written(tmp_path, "a.jsonl", line + b'\n\n{"text": "good"}'), ["text"])
    assert reason in row.reason and row.number == 1
    assert good == Row(3, {"text": "good"})


def test_a_line_without_end_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_LINE_BYTES", 50)
    long = "x" * 120
    for path in (
        written(tmp_path, "a.csv", f"text\n{long}\ngood\n"),
        written(tmp_path, "a.jsonl", json.dumps({"text": long}) + '\n{"text": "good"}\n'),
    ):
        bad, good = rows(path, ["text"])
        assert "the line is longer than 50 bytes" in bad.reason
        assert good.values == {"text": "good"}


def test_a_value_of_parquet_that_is_no_text_is_told_apart(tmp_path: Path) -> None:
    raw = pa.array([b"good", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": raw, "label": ["x", "y"]}), tmp_path / "a.parquet")
    good, bad = rows(tmp_path / "a.parquet", ["text", "label"])
    assert good == Row(1, {"text": "good", "label": "x"})
    assert isinstance(bad.values["text"], BadValue) and bad.values["label"] == "y"


def test_what_is_lost_of_a_damaged_parquet_file_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"{n:0100}" for n in range(200)]}), path, row_group_size=50, compression="NONE")
    content = bytearray(path.read_bytes())
    middle = content.index(b"%0100d" % 120) - 300
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    found = list(rows(path, ["text"]))
    assert [row.number for row in found] == list(range(1, 201))
    lost = [row for row in found if row.reason]
    assert lost and all("damaged from here on" in row.reason for row in lost)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "the table is empty"),
        ("a.jsonl", "", "the table is empty"),
        ("a.csv", "text,text\n", "more than one column is called text"),
        ("a.csv", "text;label\n", "fields are separated by ';'"),
        ("a.csv", b"t\xffxt,label\n", "cannot be read"),
        ("a.csv", '"text,label\n', "the header cannot be read: a quote that opens here is never closed"),
        ("a.jsonl", "text\n", "none of its first lines is a JSON object"),
        ("a.parquet", "text\n", "is no readable Parquet file"),
    ],
)
def test_a_table_that_is_none_is_refused_by_name(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(DataRefused) as refused:
        column_names(written(tmp_path, name, content))
    assert name in str(refused.value) and said in str(refused.value)
