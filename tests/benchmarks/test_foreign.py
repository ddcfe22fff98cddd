"""The foreign sets are what their task reads, and the table keeps the lines of sets that were not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import foreign, results
from benchmarks.foreign_sets import machine_translation
from data.folders.check import check
from trainer.task import load, task_names

SETS = [(task, name) for task in task_names() for name in foreign.sets_of(task)]
QUICK = [(task, name) for task, name in SETS if task in ("recommendation", "machine_translation")]


def test_who_has_sets_has_two() -> None:
    tasks = [task for task, _ in SETS]
    assert tasks and all(tasks.count(task) >= 2 for task in tasks)


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
