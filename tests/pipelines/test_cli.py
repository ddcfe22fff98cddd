"""The command line as its users see it: exit codes, words, and what stands on which stream."""

from __future__ import annotations

import importlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

import trainer.task
from data.columns import Image, Label
from data.errors import BenisonError, DataRefused, WrongUse
from pipelines import cli
from pipelines.commands import new_task
from pipelines.console.failures import RESUME, ROOT
from pipelines.console.progress import Listener
from pipelines.records.run_result import RunResult
from pipelines.records.workspace import task_space
from pipelines.settings import RunSettings
from trainer.task import Evaluation, Gate, HParams

RESULT = RunResult(
    task="digits",
    run_id="r1",
    exit=0,
    blessed=True,
    pushed="3",
    metrics={"accuracy": 0.99},
    nodes=[{"id": "Trainer", "state": "ran", "start": 0.0, "seconds": 5.0}],
    verdict="blessed: accuracy 0.99 ≥ 0.98 (floor)",
    places={"log": "/w/log.txt"},
)


@dataclass(frozen=True)
class DigitsHParams(HParams):
    dropout: float = field(default=0.5, metadata={"min": 0.0, "max": 0.9})


class Digits:
    title, modality, data = "Digits", "image", "mnist"
    questions: tuple[int, ...] = (1, 4)
    columns: ClassVar[dict[str, Any]] = {"image": Image(), "label": Label()}
    targets = ("label",)
    split_by = None
    HParams = DigitsHParams

    def __init__(self, hparams: DigitsHParams) -> None:
        self.hparams = hparams

    def metrics(self) -> Evaluation:
        return Evaluation("probabilities", "label", (), (Gate("accuracy", bound=0.98),))


class Letters(Digits):
    title, questions = "Letters", (2,)


TASKS: dict[str, type[Digits]] = {"digits": Digits, "letters": Letters}


def load(name: str) -> type[Digits]:
    if name not in TASKS:
        raise WrongUse(f"no task is called {name!r}", "did you mean digits?")
    return TASKS[name]


def fake_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    """A module of that dotted name, for whoever imports it from now on."""
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)
    package, _, leaf = name.rpartition(".")
    monkeypatch.setattr(importlib.import_module(package), leaf, module, raising=False)


Result = RunResult | BaseException | Callable[[RunSettings, Listener], RunResult]


class Runs:
    """Stands for `pipelines.local.run`: what it was asked, and what each task comes to."""

    def __init__(self) -> None:
        self.asked: list[RunSettings] = []
        self.ends: dict[str, Result] = {}

    def run(self, settings: RunSettings, listener: Listener, verbose: bool = False) -> RunResult:
        self.asked.append(settings)
        listener.node_started("Trainer", 0, 1, None)
        listener.node_finished("Trainer", "ran", 5.0)
        end = self.ends.get(settings.task, replace(RESULT, task=settings.task))
        if isinstance(end, BaseException):
            raise end
        return end if isinstance(end, RunResult) else end(settings, listener)


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Runs]:
    fake = Runs()
    fake_module(monkeypatch, "pipelines.local.run", run=fake.run)
    monkeypatch.setattr(trainer.task, "task_names", lambda: list(TASKS))
    monkeypatch.setattr(trainer.task, "load", load)
    monkeypatch.setenv("BENISON_WORKSPACE", str(tmp_path / "workspace"))
    terminate = signal.getsignal(signal.SIGTERM)
    yield fake
    signal.signal(signal.SIGTERM, terminate)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.err == ""
        return json.loads(self.out)


Benison = Callable[..., Ended]


@pytest.fixture
def benison(capfd: pytest.CaptureFixture[str]) -> Benison:
    def call(*arguments: str | Path) -> Ended:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, *capfd.readouterr())

    return call


# --- run ---


def test_a_run_shows_its_nodes_and_how_it_ended(benison: Benison) -> None:
    ended = benison("run", "digits")
    assert (ended.code, ended.err) == (0, "")
    assert "✓ Trainer" in ended.out and "blessed: accuracy 0.99" in ended.out and "benison predict digits" in ended.out
    assert "\x1b" not in ended.out


def test_run_json_is_one_object_with_the_promised_keys(benison: Benison) -> None:
    assert benison("run", "digits", "--json").json == RESULT.to_json()


def test_options_become_settings(benison: Benison, runs: Runs, tmp_path: Path) -> None:
    options = ["--data", "d", "--set", "epochs=3", "--set", "dropout=0.1", "--steps", "5", "--limit", "6"]
    more = ["--workers", "2", "--from", "Transform", "--to", "Evaluator", "--fresh", "--workspace", tmp_path]
    assert benison("run", "digits", *options, *more).code == 0
    overrides = {"epochs": "3", "dropout": "0.1"}
    assert runs.asked == [RunSettings("digits", "d", overrides, 5, 6, 2, "Transform", "Evaluator", True, tmp_path)]


def test_without_options_the_defaults_hold(benison: Benison, runs: Runs, tmp_path: Path) -> None:
    benison("run", "digits")
    assert runs.asked == [RunSettings("digits", workspace=tmp_path / "workspace")]


def test_stored_settings_can_be_given_back_and_the_command_line_wins(
    benison: Benison, runs: Runs, tmp_path: Path
) -> None:
    stored = RunSettings("letters", "d", {"epochs": "3", "seed": "1"}, steps=5, workspace=tmp_path / "workspace")
    (tmp_path / "settings.yaml").write_text(stored.to_yaml())
    benison("run", "--config", tmp_path / "settings.yaml")
    benison("run", "digits", "--config", tmp_path / "settings.yaml", "--steps", "7", "--set", "seed=2")
    merged = replace(stored, task="digits", steps=7, overrides={"epochs": "3", "seed": "2"})
    assert runs.asked == [stored, merged]


@pytest.mark.parametrize(
    ("error", "code"),
    [(BenisonError("m", "f"), 1), (WrongUse("m", "f"), 2), (DataRefused("m", "f"), 4)],
)
def test_errors_are_words_a_fix_and_a_code(benison: Benison, runs: Runs, error: BenisonError, code: int) -> None:
    runs.ends["digits"] = error
    ended = benison("run", "digits")
    assert (ended.code, ended.err) == (code, "error: m\n  -> f\n")
    assert benison("run", "digits", "--json").json == {"error": "m", "fix": "f", "exit": code}


def test_a_model_that_is_not_blessed_exits_3(benison: Benison, runs: Runs) -> None:
    runs.ends["digits"] = replace(RESULT, exit=3, blessed=False, pushed=None)
    assert benison("run", "digits").code == 3


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


def test_all_tasks_run_even_if_one_fails_and_the_worst_decides(benison: Benison, runs: Runs) -> None:
    runs.ends["digits"] = DataRefused("9% are bad", "mend them")
    runs.ends["letters"] = replace(RESULT, task="letters", exit=3, blessed=False, verdict="not blessed: accuracy 0.5")
    ended = benison("run", "--all")
    assert ended.code == 4 and "9% are bad" in ended.err
    digits, letters = ended.out.splitlines()[-2:]
    assert digits.split()[:2] == ["digits", "4"] and "9% are bad" in digits
    assert letters.split()[:2] == ["letters", "3"] and "not blessed" in letters
    first, second = benison("run", "digits", "letters", "--json").json
    assert first == {"task": "digits", "error": "9% are bad", "fix": "mend them", "exit": 4}
    assert (second["task"], second["exit"]) == ("letters", 3)


# --- wrong use ---


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
    for command in ("tasks", "run", "predict", "report", "data", "new-task", "doctor"):
        assert f"  {command} " in ended.out


# --- the other commands ---


def test_tasks_are_listed_with_their_last_score(benison: Benison, tmp_path: Path) -> None:
    task_space(tmp_path / "workspace", "letters").finish({"result": RESULT.to_dict()})
    rows = benison("tasks", "--json").json
    assert [row["task"] for row in rows] == ["digits", "letters"]
    assert rows[0] == {
        "task": "digits",
        "title": "Digits",
        "questions": [1, 4],
        "modality": "image",
        "data": "mnist",
        "metric": "accuracy",
        "gate": "accuracy ≥ 0.98, ≥ reference",
        "last": None,
    }
    assert rows[1]["last"] == 0.99
    heading, digits, letters = benison("tasks").out.splitlines()
    assert heading.index("last score") == letters.index("0.99")
    assert "1, 4" in digits


def test_the_last_report_is_copied(benison: Benison, tmp_path: Path) -> None:
    ended = benison("report", "digits", "-o", tmp_path / "out" / "r.html")
    assert ended.code == 1 and "no finished run" in ended.err and "benison run digits" in ended.err
    page = tmp_path / "index.html"
    page.write_text("<html>")
    result = replace(RESULT, places={"report": str(page)})
    task_space(tmp_path / "workspace", "digits").finish({"result": result.to_dict()})
    assert benison("report", "digits", "-o", tmp_path / "out" / "r.html").code == 0
    assert (tmp_path / "out" / "r.html").read_text() == "<html>"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """A pushed model of `digits`; the list gets what it is asked."""
    asked: list[tuple[Any, ...]] = []

    def answer(
        task: str, files: list[Path], serving: Path, output: Path | None, given: dict[str, str]
    ) -> list[dict[str, Any]]:
        asked.append((task, files, serving, output, given))
        probabilities = {"7": 0.9, "1": 0.06, "2": 0.03, "9": 0.01}
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


def test_an_input_may_stand_on_the_command_line(benison: Benison, answers: list[tuple[Any, ...]]) -> None:
    benison("predict", "digits", "--input", "text=a = b", "--input", "seed=7")
    assert answers[0][1:2] + answers[0][4:] == ([], {"text": "a = b", "seed": "7"})


def test_predict_json_is_a_list_without_pictures(benison: Benison, answers: list[tuple[Any, ...]]) -> None:
    first, second = benison("predict", "digits", "a.png", "b.png", "--json").json
    assert first == {"file": "a.png", "label": "7", "probabilities": {"7": 0.9, "1": 0.06, "2": 0.03, "9": 0.01}}
    assert second["file"] == "b.png"


def test_predict_without_a_model_says_how_to_get_one_and_makes_nothing(benison: Benison, tmp_path: Path) -> None:
    ended = benison("predict", "digits", "a.png")
    assert ended.code == 1 and "no pushed model" in ended.err and "benison run digits" in ended.err
    assert not (tmp_path / "workspace").exists()


def test_data_is_listed_prepared_and_credited(benison: Benison, monkeypatch: pytest.MonkeyPatch) -> None:

    source = SimpleNamespace(size_bytes=4_900_000)
    entry = SimpleNamespace(title="Digits", licence="CC0", credit="A. N. Other", sources=((source,),))

    def prepare(name: str, progress: Callable[[str], None]) -> Any:
        progress("fetching")
        return SimpleNamespace(root=Path("/cache") / name)

    members = {"names": lambda: ["mnist"], "get": lambda name: entry, "cached": lambda name: None, "prepare": prepare}
    fake_module(monkeypatch, "data.sources.catalogue", **members)
    (row,) = benison("data", "list", "--json").json
    assert (row["name"], row["licence"], row["credit"], row["size_mb"], row["cached"]) == (
        *("mnist", "CC0", "A. N. Other", 4.9),
        None,
    )
    assert "A. N. Other" in benison("data", "list").out
    assert benison("data", "prepare", "mnist") == Ended(0, "/cache/mnist\n", "fetching\n")


def test_a_folder_is_checked_and_refused_with_4(benison: Benison, tmp_path: Path) -> None:
    for split in ("train", "eval"):
        (tmp_path / split / "seven").mkdir(parents=True)
        (tmp_path / split / "seven" / "broken.png").write_bytes(b"no picture")
    ended = benison("data", "check", "digits", tmp_path)
    assert ended.code == 4 and "Refused" in ended.out
    assert benison("data", "check", "digits", tmp_path, "--json").json["ok"] is False


def test_a_new_task_is_written_and_what_to_do_next(
    benison: Benison, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "leaf_disease.py"
    monkeypatch.setattr(new_task, "create", lambda name: path)
    ended = benison("new-task", "leaf_disease")
    assert ended.code == 0 and str(path) in ended.out and "benison run leaf_disease" in ended.out


@pytest.mark.parametrize(("states", "code"), [(["ok", "note"], 0), (["ok", "missing"], 1)])
def test_doctor_fails_only_for_what_is_essential(
    benison: Benison, monkeypatch: pytest.MonkeyPatch, states: list[Any], code: int
) -> None:
    from pipelines.commands import doctor

    found = [doctor.Check(f"thing {i}", state, "found", "mend it") for i, state in enumerate(states)]
    monkeypatch.setattr(doctor, "checks", lambda workspace: found)
    ended = benison("doctor")
    assert ended.code == code and "mend it" in ended.out
    assert [row["state"] for row in benison("doctor", "--json").json] == states


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
