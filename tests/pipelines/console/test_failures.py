from __future__ import annotations

import errno
import os
import traceback
from pathlib import Path
from typing import Any

import pytest

from data.errors import BenisonError, DataRefused
from pipelines.console import failures
from pipelines.console.failures import RESUME, Failure


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a task `leaf` in whose third line `divide` fails, and `run.py`, which calls what it is given."""
    (tmp_path / "trainer" / "tasks").mkdir(parents=True)
    (tmp_path / "trainer" / "tasks" / "leaf.py").write_text("\ndef divide():\n    return 1 / 0\n")
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "run.py").write_text("def call(function):\n    return function()\n")
    monkeypatch.setattr(failures, "ROOT", tmp_path)
    monkeypatch.setattr(failures, "TASKS", tmp_path / "trainer" / "tasks")
    return tmp_path


def function(path: Path, name: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return namespace[name]


def failure_of(call: Any) -> Failure:
    with pytest.raises(BaseException) as caught:  # noqa: B017, PT011
        call()
    return Failure.of(caught.value)


def test_the_users_own_line_is_shown_under_frames_of_libraries(project: Path) -> None:
    divide = function(project / "trainer" / "tasks" / "leaf.py", "divide")
    call = function(project / "pipelines" / "run.py", "call")
    failure = failure_of(lambda: call(lambda: [divide() for _ in [1]]))
    assert failure.message == "ZeroDivisionError: division by zero\n  at trainer/tasks/leaf.py:3 in divide"
    assert failure.exit == 1 and failure.fix.startswith("mend that line")


def test_without_a_line_of_a_task_it_is_a_defect(project: Path) -> None:
    call = function(project / "pipelines" / "run.py", "call")
    failure = failure_of(lambda: call(lambda: os.environ["NO_SUCH_NAME"]))
    assert failure.message == "KeyError: 'NO_SUCH_NAME'\n  at pipelines/run.py:2 in call"
    assert "--verbose" in failure.fix and "defect" in failure.fix


def test_the_line_of_a_cause_counts(project: Path) -> None:
    divide = function(project / "trainer" / "tasks" / "leaf.py", "divide")

    def wrapped() -> None:
        try:
            divide()
        except ZeroDivisionError as error:
            raise RuntimeError("node Trainer failed") from error

    assert failure_of(wrapped).message == "RuntimeError: node Trainer failed\n  at trainer/tasks/leaf.py:3 in divide"


def test_tracebacks_within_texts_are_understood(project: Path) -> None:
    task = project / "trainer" / "tasks" / "leaf.py"
    autograph = f'in user code:\n\n    File "{task}", line 3, in preprocess  *\n        x\n\n    TypeError: bad shape\n'

    def raise_it() -> None:
        raise TypeError(autograph)

    assert failure_of(raise_it).message == "TypeError: bad shape\n  at trainer/tasks/leaf.py:3 in preprocess"

    def as_beam_does() -> None:
        try:
            function(task, "divide")()
        except ZeroDivisionError:
            text = traceback.format_exc()
        raise RuntimeError(text)

    assert failure_of(as_beam_does).message == (
        "ZeroDivisionError: division by zero\n  at trainer/tasks/leaf.py:3 in divide"
    )


def test_a_task_that_python_cannot_read_is_named(project: Path) -> None:
    task = project / "trainer" / "tasks" / "leaf.py"
    task.write_text("def preprocess(:\n")
    failure = failure_of(lambda: function(task, "preprocess"))
    assert failure.message.startswith("SyntaxError: invalid syntax")
    assert "at trainer/tasks/leaf.py:1" in failure.message


def raising(error: BaseException) -> Any:
    def call() -> None:
        raise error

    return call


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("sqlite: database or disk is full (13)")],
)
def test_a_full_disk_is_told_as_such(error: Exception) -> None:
    failure = failure_of(raising(error))
    assert failure.message.startswith("the disk is full") and RESUME in failure.fix and failure.exit == 1


def test_denied_access_is_told_with_its_place(tmp_path: Path) -> None:
    failure = failure_of(raising(PermissionError(errno.EACCES, "Permission denied", str(tmp_path))))
    assert str(tmp_path) in failure.message and "--workspace" in failure.fix


def test_ctrl_c_says_how_to_resume() -> None:
    assert failure_of(raising(KeyboardInterrupt())) == Failure("interrupted", RESUME, 1)


def test_errors_for_people_keep_words_and_exit_code() -> None:
    assert failure_of(raising(DataRefused("9% are bad", "mend them"))) == Failure("9% are bad", "mend them", 4)
    assert str(Failure("a", "b", 1, "/log")) == "error: a\n  -> b\nlog: /log"
    assert Failure("a", "b", 4).to_json() == {"error": "a", "fix": "b", "exit": 4}
    assert Failure("a", "b", 1, "/log").to_json()["log"] == "/log"


def test_the_traceback_is_in_the_log(tmp_path: Path) -> None:
    error = BenisonError("stopped", "go on")
    error.benison_log = str(tmp_path / "log.txt")  # type: ignore[attr-defined]
    assert failure_of(raising(error)).log == str(tmp_path / "log.txt")
    assert "Traceback" in (tmp_path / "log.txt").read_text() and "stopped" in (tmp_path / "log.txt").read_text()


def test_a_log_that_cannot_be_written_does_not_hide_the_error(tmp_path: Path) -> None:
    error = BenisonError("stopped", "go on")
    error.benison_log = str(tmp_path)  # type: ignore[attr-defined]
    failure = failure_of(raising(error))
    assert failure.message == "stopped" and "without the traceback" in failure.log
