"""The foreign sets are what their task reads, and the table keeps the lines of sets that were not run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import foreign, results
from benchmarks.foreign_sets import machine_translation
from data.folders.check import check
from trainer.task import load, task_names

SETS = [(task, name) for task in task_names() for name in foreign.sets_of(task)]
QUICK = [(task, name) for task, name in SETS if task in ("recommendation", "machine_translation")]


@pytest.mark.parametrize("task", task_names())
def test_each_task_has_two_sets_and_two_lines_in_the_table(task: str) -> None:
    names = set(foreign.sets_of(task))
    table = foreign.PAGE.read_text("utf-8").partition(results.FOREIGN)[2]
    told = set(re.findall(rf"^\| `{task}` \| (\w+) \|", table, re.MULTILINE))
    assert len(names) >= 2 and len(told & names) >= 2
    assert told <= names


@pytest.mark.parametrize(("task", "name"), QUICK)
def test_a_set_is_good_to_train_on(task: str, name: str, tmp_path: Path) -> None:
    foreign.sets_of(task)[name](tmp_path)
    task_class = load(task)
    report = check(tmp_path, task_class.columns, split_by=task_class.split_by)
    assert report.ok and not report.problems
    assert report.splits["train"].good > 1000 and report.splits["eval"].good > 200


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "ein"),
        (12, "zwölf"),
        (17, "siebzehn"),
        (80, "achtzig"),
        (100, "hundert"),
        (123456, "hundertdreiundzwanzig tausend vierhundertsechsundfünfzig"),
    ],
)
def test_numbers_in_german(number: int, words: str) -> None:
    assert machine_translation.in_german(number) == words


def test_a_line_takes_the_place_of_its_own_earlier_one_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "results.md"
    page.write_text("# Results\n\n| `gan` | Fashion |\n", "utf-8")
    monkeypatch.setattr(foreign, "PAGE", page)
    foreign.publish("gan", "letters", ("frechet", "3", "9 (noise)", "40", "blessed"))
    foreign.publish("gan", "shapes", ("frechet", "2", "9 (noise)", "40", "blessed"))
    foreign.publish("gan", "letters", ("frechet", "1", "9 (noise)", "41", "blessed"))
    above, _, below = page.read_text("utf-8").partition(results.FOREIGN)
    assert above == "# Results\n\n| `gan` | Fashion |\n"
    assert [row for row in below.splitlines() if "`gan`" in row] == [
        "| `gan` | letters | frechet | 1 | 9 (noise) | 41 | blessed |",
        "| `gan` | shapes | frechet | 2 | 9 (noise) | 40 | blessed |",
    ]


@pytest.mark.parametrize(
    ("score", "blessed", "verdict"),
    [(0.2, True, "blessed"), (0.3, True, "blessed: a tie"), (0.5, False, "**not blessed**: mae 0.5, > 0.3")],
)
def test_a_blessing_without_a_lead_is_told_as_a_tie(score: float, blessed: bool, verdict: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"verdict": f"not blessed: mae {score}, > 0.3"}), "utf-8")
    result: dict[str, Any] = {
        "metrics": {"mae": score},
        "reference": {"linear": {"mae": 0.3}, "persistence": {"mae": 0.4}},
        "seconds": 51.2,
        "blessed": blessed,
        "places": {"report": str(tmp_path / "index.html")},
    }
    told = foreign._cells("sequence_regression", result)
    assert told == ("mae", f"{score:.4g}", "0.3 (linear)", "51", verdict)


@pytest.mark.parametrize(
    ("printed", "code", "verdict"),
    [
        (b'{"error": "9 of 10 records are bad:\\n a.abc", "fix": "mend"}', 4, "**refused**: 9 of 10 records are bad"),
        (b'{"error": "no space left"}', 1, "**failed**: no space left"),
        (b"", 137, "**failed** with exit code 137"),
    ],
)
def test_a_set_of_which_no_model_came_is_told_with_the_reason(printed: bytes, code: int, verdict: str) -> None:
    assert foreign._why_not(printed, code) == verdict
