from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import BenisonError
from pipelines.console.failures import ROOT
from pipelines.records.workspace import TaskSpace, task_space

HOLD = """
import sys
from pathlib import Path
from pipelines.records.workspace import TaskSpace
with TaskSpace(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_is_told_who_holds_the_lock_and_a_killed_one_holds_it_no_longer(tmp_path: Path) -> None:
    space = TaskSpace(tmp_path / "task")
    command = [sys.executable, "-c", HOLD, str(space.root), "run", "image_classification"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(BenisonError) as caught, space.lock():
            pass
        for part in (str(space.root), f"pid {other.pid}", "since 20", "run image_classification"):
            assert part in caught.value.message
        assert "--workspace" in caught.value.fix
        other.send_signal(signal.SIGKILL)
        other.wait()
        with space.lock():
            assert f'"pid": {os.getpid()}' in (space.root / "lock").read_text()


def test_the_lock_is_free_again_after_the_block_also_after_an_error(tmp_path: Path) -> None:
    space = TaskSpace(tmp_path)
    with pytest.raises(ZeroDivisionError), space.lock():
        raise ZeroDivisionError
    with space.lock():
        pass


def test_two_tasks_do_not_lock_each_other_out(tmp_path: Path) -> None:
    with task_space(tmp_path, "a").lock(), task_space(tmp_path, "b").lock():
        assert (tmp_path / "a" / "lock").exists() and (tmp_path / "b" / "lock").exists()


def test_paths_do_not_depend_on_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    space = task_space(Path("workspace"), "a")
    assert space.root == tmp_path / "workspace" / "a"
    assert space.run("r1") == space.root / "runs" / "r1"


def test_the_last_result_is_kept(tmp_path: Path) -> None:
    space = TaskSpace(tmp_path / "new" / "task")
    assert space.last_run is None
    space.finish({"result": {"exit": 0}})
    space.finish({"result": {"exit": 3}})
    assert space.last_run == {"result": {"exit": 3, "places": {}}}


def test_places_go_with_a_workspace_that_is_moved(tmp_path: Path) -> None:
    before, after = TaskSpace(tmp_path / "before"), TaskSpace(tmp_path / "after")
    inside, outside = before.run("r1") / "log.txt", tmp_path / "elsewhere.txt"
    before.finish({"result": {"places": {"log": str(inside), "other": str(outside)}}})
    before.root.rename(after.root)
    assert after.last_run == {"result": {"places": {"log": str(after.run("r1") / "log.txt")}}}


def test_seconds_are_remembered_by_node(tmp_path: Path) -> None:
    space = TaskSpace(tmp_path)
    assert space.expected_seconds == {}
    space.remember_seconds({"Trainer": 5.0, "Transform": 2.0})
    space.remember_seconds({"Trainer": 7.0})
    assert space.expected_seconds == {"Trainer": 7.0, "Transform": 2.0}


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "last_run.json").write_text('{"result": ')
    with pytest.raises(BenisonError, match=r"last_run\.json is damaged"):
        _ = TaskSpace(tmp_path).last_run


@pytest.mark.parametrize("name", ["two words", "{SPAN}", "a*", "what?", "100%", "2]"])
def test_other_signs_are_taken_as_they_are(name: str, tmp_path: Path) -> None:
    assert task_space(tmp_path / name, "digits").root == tmp_path / name / "digits"
