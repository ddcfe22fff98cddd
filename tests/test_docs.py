"""What the README and docs say is true: their commands parse, their files exist, their tasks are those there are."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

import pipelines
from pipelines import local_dag_runner
from pipelines.cli import app, main
from pipelines.local.pipeline import Verdict
from pipelines.settings import settings_of_keywords
from trainer.task import load, task_names

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    blocks = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return sorted({line.removeprefix(".venv/bin/") for line in lines if "benison " in line})


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 6


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_parses(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the point where it would begin: known command, known options, right number of arguments."""
    arguments = shlex.split(command)[1:]
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found, arguments = found.commands[arguments[0]], arguments[1:]
    found.make_context(command, arguments)


def test_the_stock_runner_is_shown_as_it_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's Python lines and its command come to the same call; the pipeline itself is run elsewhere."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (options,) = re.findall(r"python -m pipelines.local_dag_runner ([^#\n]+)", readme)
    run, asked = [], []

    def create_pipeline(task: str, data: str | None = None, workspace: str = "workspace", **settings: Any) -> str:
        load(task)
        settings_of_keywords("create_pipeline", task, data, Path(workspace), settings)
        asked.append(task)
        return f"pipeline of {task}"

    name = "tfx.orchestration.local.local_dag_runner"
    stock = SimpleNamespace(run=run.append)
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(LocalDagRunner=lambda: stock))  # type: ignore[arg-type]
    monkeypatch.setattr(pipelines, "create_pipeline", create_pipeline)
    monkeypatch.setattr(local_dag_runner, "create_pipeline", create_pipeline)
    monkeypatch.setattr(local_dag_runner, "verdict", lambda *place: Verdict(True, "blessed", Path("report")))
    exec(lines, {})
    assert local_dag_runner.main(shlex.split(options)) == 0
    assert asked == ["image_classification"] * 2 and run == ["pipeline of image_classification"] * 2
    assert "blessed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["tasks"], ["data", "list"], ["--help"], ["run", "--help"]])
def test_cheap_commands_run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_readme_lists_the_tasks_there_are() -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("## Tasks")[2].partition("## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == task_names()


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
