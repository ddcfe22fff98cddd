"""The command line as its users see it: exit codes, words, and what stands on which stream."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.errors import BenisonError, DataRefused, WrongUse
from pipelines.console.failures import RESUME, ROOT
from pipelines.console.progress import Listener
from pipelines.records.run_result import RunResult
from pipelines.settings import RunSettings
from tests.pipelines.command_line import RESULT, Benison, Runs

COMMANDS = sorted(
    path.stem.replace("_", "-")
    for path in (ROOT / "pipelines" / "commands").glob("*.py")
    if path.stem not in ("options", "output")
)


@pytest.mark.parametrize(
    ("error", "code"),
    [(BenisonError("m", "f"), 1), (WrongUse("m", "f"), 2), (DataRefused("m", "f"), 4)],
)
def test_errors_are_words_a_fix_and_a_code(benison: Benison, runs: Runs, error: BenisonError, code: int) -> None:
    runs.ends["digits"] = error
    ended = benison("run", "digits")
    assert (ended.code, ended.err) == (code, "error: m\n  -> f\n")
    assert benison("run", "digits", "--json").json == {"error": "m", "fix": "f", "exit": code}


def test_the_unexpected_is_one_line_and_a_traceback_only_if_asked(benison: Benison, runs: Runs) -> None:
    runs.ends["digits"] = ValueError("odd")
    ended = benison("run", "digits")
    assert ended.code == 1 and ended.err.startswith("error: ValueError: odd\n") and "Traceback" not in ended.err
    assert "Traceback" in benison("run", "digits", "--verbose").err


def test_ctrl_c_says_how_to_resume_and_starts_no_other_task(benison: Benison, runs: Runs) -> None:
    def interrupted(settings: RunSettings, listener: Listener) -> RunResult:
        os.kill(os.getpid(), signal.SIGINT)
        return RESULT

    runs.ends["digits"] = interrupted
    ended = benison("run", "--all")
    assert (ended.code, ended.err) == (1, f"error: interrupted\n  -> {RESUME}\n")
    assert [settings.task for settings in runs.asked] == ["digits"]


def test_a_termination_unwinds_the_run(benison: Benison, runs: Runs) -> None:
    unwound = []

    def terminated(settings: RunSettings, listener: Listener) -> RunResult:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            unwound.append(True)
        return RESULT

    runs.ends["digits"] = terminated
    assert benison("run", "digits").code == 143
    assert unwound == [True]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "digts"], ["'digts'", "did you mean digits?"]),
        (["run", "digits", "--stpes", "3"], ["--stpes", "--steps", "benison run --help"]),
        (["run", "digits", "--set", "epohcs=3"], ["'epohcs'", "did you mean epochs?"]),
        (["run", "digits", "--set", "dropout=2"], ["dropout=2", "a number, at least 0, at most 0.9"]),
        (["run", "digits", "--set", "epochs"], ["--set epochs", "NAME=VALUE"]),
        (["run", "digits", "--steps", "0"], ["--steps"]),
        (["run", "digits", "--workspace", __file__], ["--workspace", "is a file"]),
        (["run", "digits", "--config", "none.yaml"], ["none.yaml", "no such file"]),
        (["run"], ["which task?", "digits, letters", "--all"]),
        (["run", "digits", "--all"], ["--all", "digits"]),
        (["run", "digits", "letters", "--set", "x=1"], ["'x'"]),
        (["rum"], ["rum", "run"]),
        (["data"], ["benison data --help"]),
        (["predict", "digits"], ["FILE", "--input"]),
        (["predict", "digits", "a.png", "--input", "x=1"], ["either files or --input"]),
        (["predict", "digits", "--input", "x"], ["--input x", "NAME=VALUE"]),
        (["data", "check", "nothing", "."], ["'nothing'"]),
        (["report", "digits"], ["--output"]),
    ],
)
def test_wrong_use_is_told_before_anything_runs(
    benison: Benison, runs: Runs, arguments: list[str], words: list[str]
) -> None:
    ended = benison(*arguments)
    assert (ended.code, ended.out, runs.asked) == (2, "", [])
    assert all(word in ended.err for word in words), ended.err
    if arguments[0] == "run":
        shown = benison(*arguments, "--json").json
        assert shown["exit"] == 2 and all(word in shown["error"] + shown["fix"] for word in words)


def test_benison_alone_shows_what_there_is(benison: Benison) -> None:
    ended = benison()
    assert ended.code == 0
    for command in COMMANDS:
        assert f"  {command} " in ended.out


# --- a process of its own ---


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **options)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["tasks", "--json"], 0), (["run", "digts"], 2), (["tasks", "--jsn"], 2)]
)
def test_a_process_ends_with_the_code_and_no_traceback(arguments: list[str], code: int) -> None:
    ended = process(*arguments)
    assert ended.returncode == code and "Traceback" not in ended.stderr
    assert bool(ended.stdout) == (code == 0) and bool(ended.stderr) == (code != 0)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipelines", "tasks", "--json"]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, cwd=ROOT)
    os.close(writer)
    assert ended.stderr == b""


HEAVY = """
import sys
from pipelines.cli import main
try:
    main(sys.argv[1:])
finally:
    heavy = {"tensorflow", "tfx", "apache_beam", "pandas", "sklearn", "rich"} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.mark.parametrize("arguments", [["--help"], ["tasks"], ["run", "digts"], ["data", "list"]])
def test_nothing_heavy_is_imported_to_answer_at_once(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HEAVY, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert "AssertionError" not in ended.stderr, ended.stderr


NOISY = """
import os, sys
from pathlib import Path
from types import ModuleType
import pipelines.local
from pipelines import cli
from pipelines.console import logs
from pipelines.records.run_result import RunResult

def run(settings, listener, verbose=False):
    with logs.captured(Path(sys.argv[1]), verbose):
        listener.node_started("Trainer", 0, 1, None)
        print("noise of Python")
        print("noise on stderr", file=sys.stderr)
        os.write(1, b"noise of C++")
        listener.node_finished("Trainer", "ran", 1.0)
        if "fail" in sys.argv[1]:
            raise ValueError("odd")
    return RunResult(task=settings.task, run_id="r1", exit=0, places={"log": sys.argv[1]})

fake = ModuleType("pipelines.local.run")
fake.run = run
sys.modules["pipelines.local.run"] = pipelines.local.run = fake
cli.main(sys.argv[2:])
"""


def noisy(log: Path, *options: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", NOISY, str(log), "run", "image_classification", *options]
    environment = os.environ | {"TERM": "xterm"}
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=False, cwd=ROOT, env=environment)


def test_json_is_alone_on_stdout_whatever_libraries_print(tmp_path: Path) -> None:
    ended = noisy(tmp_path / "log", "--json")
    assert json.loads(ended.stdout)["run_id"] == "r1" and ended.stderr == b""
    assert (tmp_path / "log").read_text().count("noise") == 3


def test_a_failure_names_the_log_that_holds_its_traceback(tmp_path: Path) -> None:
    log = tmp_path / "fail"
    ended = noisy(log)
    assert ended.returncode == 1 and b"ValueError: odd" in ended.stderr and b"Traceback" not in ended.stderr
    assert ended.stderr.decode().endswith(f"log: {log}\n")
    assert "Traceback" in log.read_text() and "noise of C++" in log.read_text()
    assert json.loads(noisy(log, "--json").stdout)["log"] == str(log)


def test_verbose_copies_the_log_to_stderr_and_leaves_stdout_clean(tmp_path: Path) -> None:
    ended = noisy(tmp_path / "log", "--json", "--verbose")
    json.loads(ended.stdout)
    assert ended.stderr.count(b"noise") == 3


def test_on_a_terminal_only_progress_is_seen(tmp_path: Path) -> None:
    main, terminal = pty.openpty()
    ended = noisy(tmp_path / "log", stdout=terminal)
    os.close(terminal)
    shown = os.read(main, 100_000).decode()
    os.close(main)
    assert ended.returncode == 0 and ended.stderr == b""
    assert "Trainer" in shown and "image_classification: done" in shown and "noise" not in shown
