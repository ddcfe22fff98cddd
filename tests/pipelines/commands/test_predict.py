from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.columns import Given, Number
from pipelines.records.workspace import task_space
from tests.pipelines.command_line import Benison, Digits, fake_module


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """A pushed model of `digits`; the list gets what it is asked."""
    asked: list[tuple[Any, ...]] = []

    def answer(
        task: str,
        files: list[Path],
        serving: Path,
        output: Path | None,
        given: dict[str, str],
        as_rows: bool = False,
        show: Callable[[str], None] | None = None,
        threshold: float | None = None,
    ) -> list[dict[str, Any]]:
        asked.append((task, files, serving, output, given))
        if show:
            show("in pie")
            show("ces\n")
        probabilities: Any = {"7": 0.9, "1": 0.06, "2": 0.03, "9": 0.01}
        if as_rows:
            probabilities = "7 90.0%, 1 6.0%, 2 3.0%"
        picture = {"picture": str(output / "a.png")} if output else {}
        return [{"file": str(file), "label": "7", "probabilities": probabilities} | picture for file in files]

    fake_module(monkeypatch, "pipelines.serving.predict", predict=answer)
    task_space(tmp_path / "workspace", "digits").serving.mkdir(parents=True)
    return asked


def test_predictions_are_a_table_with_pictures(
    benison: Benison, answers: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    space = task_space(tmp_path / "workspace", "digits")
    heading, row = benison("predict", "digits", "a.png").out.splitlines()
    assert heading.split() == ["file", "label", "probabilities", "picture"]
    assert "7 90.0%, 1 6.0%, 2 3.0%" in row and "9 1.0%" not in row
    assert row.endswith(str(space.predictions / "a.png"))
    benison("predict", "digits", "a.png", "-o", tmp_path / "here")
    assert answers == [
        ("digits", [Path("a.png")], space.serving, space.predictions, {}),
        ("digits", [Path("a.png")], space.serving, tmp_path / "here", {}),
    ]


def test_a_task_without_scores_takes_no_threshold_and_is_not_asked(
    benison: Benison, answers: list[tuple[Any, ...]]
) -> None:
    ended = benison("predict", "digits", "a.png", "--threshold", "0.5")
    assert ended.code == 2 and "digits takes no threshold" in ended.err and "leave the threshold away" in ended.err
    assert benison("predict", "digits", "a.png", "--threshold", "1.5").code == 2 and not answers


def test_an_input_may_stand_on_the_command_line(benison: Benison, answers: list[tuple[Any, ...]]) -> None:
    benison("predict", "digits", "--input", "text=a = b", "--input", "seed=7")
    assert answers[0][1:2] + answers[0][4:] == ([], {"text": "a = b", "seed": "7"})


def test_what_is_written_is_shown_meanwhile_on_a_terminal_alone(
    benison: Benison, answers: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pieces" not in benison("predict", "digits", "a.png").out
    monkeypatch.setattr(sys.stdout.__class__, "isatty", lambda self: True)
    assert benison("predict", "digits", "a.png").out.startswith("in pieces\nfile")
    assert "pieces" not in benison("predict", "digits", "a.png", "--json").out


def test_predict_json_is_a_list_without_pictures(benison: Benison, answers: list[tuple[Any, ...]]) -> None:
    first, second = benison("predict", "digits", "a.png", "b.png", "--json").json
    assert first == {"file": "a.png", "label": "7", "probabilities": {"7": 0.9, "1": 0.06, "2": 0.03, "9": 0.01}}
    assert second["file"] == "b.png"


def test_predict_without_a_model_says_how_to_get_one_and_makes_nothing(benison: Benison, tmp_path: Path) -> None:
    ended = benison("predict", "digits", "a.png")
    assert ended.code == 1 and "no pushed model" in ended.err and "benison run digits" in ended.err
    assert not (tmp_path / "workspace").exists()


def test_inputs_may_stand_beside_files(
    benison: Benison, answers: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    temperature = Given(kind=Number(), default=1.0)
    monkeypatch.setattr(Digits, "columns", {**Digits.columns, "temperature": temperature})
    assert benison("predict", "digits", "a.png", "--input", "temperature=0.3").code == 0
    [(_, files, _, _, given)] = answers
    assert (files, given) == ([Path("a.png")], {"temperature": "0.3"})
    ended = benison("predict", "digits")
    assert ended.code == 2 and "give files, or --input NAME=VALUE" in ended.err
