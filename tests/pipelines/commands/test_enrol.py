"""`benison enrol`: a name with files, a list, or a name to forget."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.records.workspace import task_space
from pipelines.serving import enrolment, gallery
from tests.pipelines.command_line import Benison


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A pushed model of `digits` that makes of each file an embedding of zeros."""
    serving = task_space(tmp_path / "workspace", "digits").serving
    (serving / "1").mkdir(parents=True)
    (serving / "1" / "benison.json").write_text("{}")

    def enrol(task: str, serving: Path, name: str, files: list[Path]) -> int:
        folder = gallery.folder_beside(serving)
        more = gallery.read(folder).with_more(name, np.zeros((len(files), 4), np.float32), serving / "1")
        gallery.write(folder, more)
        return len(files)

    monkeypatch.setattr(enrolment, "enrol", enrol)
    return serving


def test_people_are_enrolled_listed_and_forgotten(benison: Benison, serving: Path) -> None:
    assert benison("enrol", "digits", "--list").out.strip() == "nobody is enrolled"
    benison("enrol", "digits", "--person", "Bob", "c.png")
    out = benison("enrol", "digits", "--person", "Ann", "a.png", "b.png").out.splitlines()
    assert [line.split() for line in out] == [["person", "files"], ["Ann", "2"], ["Bob", "1"]]
    assert benison("enrol", "digits", "--list", "--json").json == [
        {"person": "Ann", "files": 2},
        {"person": "Bob", "files": 1},
    ]
    assert benison("enrol", "digits", "--remove", "Ann", "--json").json == [{"person": "Bob", "files": 1}]
    ended = benison("enrol", "digits", "--remove", "Ann")
    assert ended.code == 2 and "'Ann' is not enrolled" in ended.err and "Bob" in ended.err


@pytest.mark.parametrize(
    "arguments", [[], ["a.png"], ["--person", "Ann"], ["--list", "--remove", "Ann"], ["--list", "a.png"]]
)
def test_half_of_what_it_takes_is_wrong_use(benison: Benison, serving: Path, arguments: list[str]) -> None:
    ended = benison("enrol", "digits", *arguments)
    assert ended.code == 2 and "benison enrol digits --person NAME FILE..." in ended.err


def test_without_a_model_it_says_how_to_get_one(benison: Benison, tmp_path: Path) -> None:
    ended = benison("enrol", "digits", "--list")
    assert ended.code == 1 and "no pushed model" in ended.err and not (tmp_path / "workspace").exists()
