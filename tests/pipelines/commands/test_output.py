"""Tables on a terminal."""

from __future__ import annotations

import pytest

from pipelines.commands.output import print_table


def test_a_row_that_lacks_a_column_has_an_empty_cell_there(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([{"file": "a", "label": "yes"}, {"file": "b", "label": "no", "heard": "no 0.0–1.0 s"}], {"file": "of"})
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["of", "label", "heard"],
        ["a", "yes"],
        ["b", "no", "no", "0.0–1.0", "s"],
    ]


def test_no_rows_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([], {})
    assert capsys.readouterr().out == ""
