"""LJ Speech's own form: lines with bars, and recordings in `wavs/`."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.columns import Audio, Given, Label, Number, Text
from data.errors import DataRefused
from data.folders.folder import DataFolder, Record

COLUMNS = {"sound": Audio(), "text": Text(), "rate": Given(kind=Number(), default=1.0)}
LINES = (
    'A-1|In 1984, "they" said,|in nineteen eighty-four, "they" said,\n'
    "A-2|no third field\n"
    "A-3|an empty one| \n"
    "A-4.wav|a name with its suffix\n"
    "\n"
    "A-5|a file|too|many\n"
    "A-6|no such file\n"
    "no bar\n"
    "A-7||\n"
)


def folder_of(root: Path, lines: str = LINES, suffix: str = ".wav") -> Path:
    (root / "wavs").mkdir(parents=True)
    (root / "metadata.csv").write_text(lines, encoding="utf-8")
    for name in ("A-1", "A-2", "A-3", "A-4", "A-5", "A-7"):
        buffer = io.BytesIO()
        soundfile.write(buffer, np.zeros(800), 8000, format=suffix[1:].upper())
        (root / "wavs" / f"{name}{suffix}").write_bytes(buffer.getvalue())
    return root


def read(root: Path) -> list[Record]:
    return list(DataFolder(root, COLUMNS).records("all"))


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_the_last_text_of_a_line_is_what_is_said(tmp_path: Path, suffix: str) -> None:
    records = read(folder_of(tmp_path, suffix=suffix))
    assert {record.features["text"] for record in records if record.features} == {
        b'in nineteen eighty-four, "they" said,',
        b"no third field",
        b"an empty one",
        b"a name with its suffix",
    }


def test_what_is_wrong_with_a_line_is_told_with_its_row(tmp_path: Path) -> None:
    told = {record.row: record.problem for record in read(folder_of(tmp_path)) if record.problem}
    assert {place: problem.column for place, problem in told.items()} == {
        6: None,
        7: "sound",
        8: None,
        9: "text",
    }
    assert "got 4 fields" in told[6].reason
    assert told[7].reason == "there is no wavs/A-6.wav"
    assert "got 1 fields" in told[8].reason


def test_an_empty_table_is_refused_with_the_form(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="metadata.csv is empty") as refused:
        read(folder_of(tmp_path, lines="\n"))
    assert "ID|text" in refused.value.fix


def test_a_pipe_is_no_table(tmp_path: Path) -> None:
    (folder_of(tmp_path) / "metadata.csv").unlink()
    os.mkfifo(tmp_path / "metadata.csv")
    with pytest.raises(DataRefused, match="not an ordinary file"):
        read(tmp_path)


def test_a_table_with_a_header_is_read_as_before(tmp_path: Path) -> None:
    assert len(read(folder_of(tmp_path, lines="file_name,text\nwavs/A-1.wav,hello\n"))) == 1


def test_tasks_that_need_more_than_recordings_and_texts_do_not_take_it(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="more than one column"):
        list(DataFolder(folder_of(tmp_path), COLUMNS | {"label": Label()}).records("all"))
