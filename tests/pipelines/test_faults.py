"""Runs that are killed, terminated, doubled, or find the disk full: what is left, what people see, how it goes on.

Each run is a process of its own, to be killed for real, but a spawned one would import for 15 s. So all are forked from
one server that has imported TFX and TensorFlow and used neither: a fork of TensorFlow's running threads may hang.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components import manifest
from pipelines.console.failures import RESUME, ROOT

pytestmark = pytest.mark.whole

TASK = "image_classification"
ROUNDS = 3
STEPS = 100 * ROUNDS
QUICK = {"global_batch_size": 32, "min_steps": STEPS, "filters": 8, "epochs": 1}
DEADLINE = 120.0

servers = multiprocessing.get_context("forkserver")
servers.set_forkserver_preload(
    ["pipelines.cli", "pipelines.dag", "pipelines.local.run", "pipelines.node_runner", "tf_keras"]
)

RUN = """
import os
for number, file in ((1, OUT), (2, ERR)):
    os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
exec(FAULT)
from pipelines.cli import main
main(ARGUMENTS)
"""

# Strikes inside the executor of NODE, from a thread, as soon as there is some output, or else as its `Do` returns:
# before TFX has published anything. Training strikes in its second round, that is, after the backup of the first.
STRIKE = """
import json, os, signal, threading
from pathlib import Path
from tfx.orchestration.portable import python_executor_operator as operator

def training_rounds():
    for file in Path(SPACE, "training").glob("*/progress.json"):
        return len(json.loads(file.read_text())["history"].get("loss", []))
    return 0

def bytes_in(folder):
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except FileNotFoundError:  # renamed between the look and the question
        return 0

def struck(info, executor):
    if info.pipeline_node.node_info.id != NODE:
        return run(info, executor)
    outputs = [Path(one.uri) for several in info.output_dict.values() for one in several]
    folders = [*outputs, Path(SPACE, "serving", ".staging")]
    def watch():
        while not (training_rounds() if NODE == "Trainer" else any(map(bytes_in, folders))):
            threading.Event().wait(0.001)
        os.kill(os.getpid(), SIGNAL)
    if not AT_END:
        threading.Thread(target=watch, daemon=True).start()
    run(info, executor)
    os.kill(os.getpid(), SIGNAL)

run, operator.run_with_executor = operator.run_with_executor, struck
"""


@dataclass(frozen=True)
class Run:
    """A `benison run` that goes on, or has ended."""

    process: ForkServerProcess
    directory: Path

    @property
    def out(self) -> str:
        return (self.directory / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self.directory / "err").read_text(encoding="utf-8")

    @property
    def code(self) -> int:
        """Exit status, negative for a signal, once it has ended."""
        self.process.join(DEADLINE)
        assert self.process.exitcode is not None, f"it still runs: {self.out}"
        return self.process.exitcode

    @property
    def states(self) -> dict[str, str]:
        """Node -> what it came to, of those that ended, as they were shown."""
        return dict(re.findall(r"^[^\w\s] (\w+) +(ran|cached|failed|skipped) ", self.out, re.MULTILINE))


class NodeRunner:
    """Starts runs of one folder of pictures in one workspace."""

    def __init__(self, data: Path, workspace: Path, scratch: Path) -> None:
        self.space, self._scratch, self._number = workspace / TASK, scratch, 0
        self._always = [TASK, "--data", str(data), "--workspace", str(workspace)]
        for name, value in QUICK.items():
            self._always += ["--set", f"{name}={value}"]

    def start(self, *options: str, fault: str = "", **names: Any) -> Run:
        """`names` are what the code of the fault calls NODE, SIGNAL ..."""
        self._number += 1
        directory = self._scratch / str(self._number)
        directory.mkdir(parents=True)
        told = {"OUT": str(directory / "out"), "ERR": str(directory / "err"), "FAULT": fault, "SPACE": str(self.space)}
        told |= {"ARGUMENTS": ["run", *self._always, *options]} | names
        process = servers.Process(target=exec, args=(RUN, told))
        process.start()
        return Run(process, directory)

    def strike(self, node: str, number: int, *options: str, at_end: bool = False) -> Run:
        return self.start(*options, fault=STRIKE, NODE=node, SIGNAL=number, AT_END=at_end)

    def query(self, question: str) -> list[tuple[Any, ...]]:
        """Asks the ML Metadata store."""
        with sqlite3.connect(self.space / "metadata.db") as store:
            return store.execute(question).fetchall()

    def executions(self, *states: int) -> list[tuple[str, int]]:
        """Node and number of the executions in these states."""
        question = "SELECT t.name, e.id FROM Execution e JOIN Type t ON t.id = e.type_id WHERE e.last_known_state IN "
        rows = self.query(f"{question} ({', '.join(map(str, states))}) ORDER BY e.id")
        return [(NAMES.get(kind, kind), number) for name, number in rows for kind in [name.rpartition(".")[2]]]

    def outputs(self) -> dict[int, set[str]]:
        """Execution -> the nodes below the pipeline root that hold outputs of it."""
        found: dict[int, set[str]] = {}
        for path in (self.space / "pipeline").glob("[!.]*/[!.]*/[0-9]*"):
            found.setdefault(int(path.name), set()).add(path.parts[-3])
        return found


OPEN, COMPLETE, FAILED = (1, 2), 3, 4  # states of ML Metadata's executions: new or running, complete, failed
PENDING, LIVE = 1, 2  # and of its artifacts
NAMES = {"LatestBlessedModelStrategy": "LatestBlessed"}


def write_pictures(folder: Path, number: int) -> Path:
    """Grey pictures of bars, across or down: easy to learn."""
    rng = np.random.default_rng(0)
    for kind in ("across", "down"):
        (folder / kind).mkdir(parents=True)
        for i in range(number):
            pixels = rng.integers(0, 60, (12, 12), dtype=np.uint8)
            pixels[(slice(5, 8),) if kind == "across" else (slice(None), slice(5, 8))] = 220
            Image.fromarray(pixels).save(folder / kind / f"{i:03d}.png")
    return folder


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A disk of 64 MB, which tests can fill; None where this user may not mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def runner(mounted: Path | None, tmp_path_factory: pytest.TempPathFactory) -> NodeRunner:
    """The tests of this module go on in one workspace, one after the other."""
    scratch = tmp_path_factory.mktemp("faults")
    return NodeRunner(write_pictures(scratch / "pictures", 60), (mounted or scratch) / "workspace", scratch)


def until(happened: Callable[[], Any], run: Run) -> Any:
    """What `happened` returns, once that is true, while the run goes on."""
    deadline = time.monotonic() + DEADLINE
    while not (found := happened()):
        assert time.monotonic() < deadline and run.process.is_alive(), run.out + run.err
        threading.Event().wait(0.01)
    return found


# --- kill -9 ---

KILLED = [
    "FolderExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "DataGate",
    "Transform",
    "Reference",
    "Trainer",
    "Evaluator",
    "Report",
    "Pusher",
]
"""All nodes that execute something, in their order."""

AGAIN = "Evaluator"
"""Runs once more after it blessed a model in a run that was killed later: there is now a model to compare with."""


@pytest.fixture(scope="module")
def killed(runner: NodeRunner) -> Run:
    """A run that follows a chain of others. Each of those was killed in a node, and got there by what the one before,
    killed in the node before, had finished."""
    finished: list[str] = []
    for node in KILLED:
        run = runner.strike(node, signal.SIGKILL)
        assert run.code == -signal.SIGKILL, run.err
        seen = {name: state for name, state in run.states.items() if name in KILLED}
        assert list(seen) == finished, "the node before did not come to its end"
        assert {name for name in finished[:-1] if seen[name] != "cached"} <= {AGAIN}
        [(dead, number)] = runner.executions(*OPEN)
        assert dead == node and runner.outputs()[number] == {node}
        finished.append(node)
    # Once more in the Pusher, which may now have a version that TFX does not know of.
    assert runner.strike("Pusher", signal.SIGKILL, at_end=True).code == -signal.SIGKILL
    return runner.start("--json")


def test_after_kills_in_every_node_a_run_ends_blessed_with_one_version_served(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    result = json.loads(killed.out)
    assert result["blessed"] and result["pushed"] == "1"
    ran = {node["id"] for node in result["nodes"] if node["state"] == "ran"}
    assert ran == {"Pusher", "LatestBlessed"}
    assert os.listdir(runner.space / "serving") == ["1"]
    assert manifest.verify(runner.space / "serving" / "1")["task"] == TASK


def test_kills_leave_no_partial_output_and_metadata_that_agree_with_the_disk(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    assert runner.executions(*OPEN) == []
    complete = [(node, number) for node, number in runner.executions(COMPLETE) if node in KILLED]
    assert sorted(node for node, _ in complete) == sorted([*KILLED, AGAIN]), "each node was to end once"
    assert runner.outputs() == {number: {node} for node, number in complete}
    artifacts = runner.query(f"SELECT uri, state FROM Artifact WHERE state IN ({PENDING}, {LIVE})")
    assert {state for _, state in artifacts} == {LIVE}
    assert [uri for uri, _ in artifacts if not Path(uri).is_dir()] == []
    dead = {str(number) for _, number in runner.executions(FAILED)}
    assert [path for path in runner.space.glob("pipeline/*/.system/*/*") if path.name in dead] == []
    assert list(runner.space.glob("pipeline/*/.system/stateful_working_dir/*")) == []


def test_training_went_on_from_its_backup(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    [events] = runner.space.glob("pipeline/Trainer/model_run/*/train/events*")
    assert rounds_in(events) == list(range(1, ROUNDS)), "the first round was trained before the kill"
    [history] = runner.space.glob("pipeline/Trainer/model_run/*/history.json")
    assert len(json.loads(history.read_text())["loss"]) == ROUNDS
    assert list((runner.space / "training").iterdir()) == []


def rounds_in(events: Path) -> list[int]:
    """The rounds of training whose loss a file of TensorBoard's holds."""
    from tensorboard.compat.proto.event_pb2 import Event

    content, at, rounds = events.read_bytes(), 0, []
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        event = Event.FromString(content[at + 12 : at + 12 + length])
        rounds += [event.step for value in event.summary.value if value.tag == "epoch_loss"]
        at += length + 16
    return rounds


# --- two runs, and a polite end ---


def test_a_second_run_is_told_who_is_here_and_a_terminated_one_how_to_resume(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    first = runner.start("--set", "learning_rate=0.004", fault=HOLD, HELD=str(runner.space / "held"))
    until((runner.space / "held").exists, first)
    second = runner.start()
    assert (second.code, second.out) == (1, "")
    assert f"is in use by another run (pid {first.process.pid} on " in second.err and "--workspace" in second.err
    assert first.process.pid is not None
    os.kill(first.process.pid, signal.SIGTERM)
    assert first.code == 128 + signal.SIGTERM
    assert first.err.startswith("error: terminated") and RESUME in first.err and "Traceback" not in first.err
    assert first.states["Trainer"] == "failed"
    assert runner.executions(*OPEN) == []


def test_a_termination_ends_a_node_that_beam_runs(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    run = runner.strike("StatisticsGen", signal.SIGTERM, "--from", "StatisticsGen")
    assert run.code == 128 + signal.SIGTERM
    assert run.err.startswith("error: terminated") and RESUME in run.err
    assert run.states["StatisticsGen"] == "failed"
    assert runner.executions(*OPEN) == []


HOLD = """
import threading, trainer.worker
from pathlib import Path
def hold(spec):
    Path(HELD).touch()
    threading.Event().wait()
trainer.worker.train = hold
"""


# --- two workers ---


def test_a_termination_takes_the_workers_with_it(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    run = runner.start("--workers", "2")
    workers = until(lambda: len(found := workers_of(run)) == 2 and found, run)
    assert run.process.pid is not None
    os.kill(run.process.pid, signal.SIGTERM)
    assert run.code == 128 + signal.SIGTERM
    assert RESUME in run.err
    deadline = time.monotonic() + 10  # one that was just being started dies with its parent, not before it
    while alive := [pid for pid in workers if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        threading.Event().wait(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def workers_of(run: Run) -> list[int]:
    """Process ids of the run's TensorFlow workers, the chief first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == run.process.pid and b"trainer.worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return sorted(found)


def test_a_killed_tensorflow_worker_costs_one_round_not_the_run(killed: Run, runner: NodeRunner) -> None:
    assert killed.code == 0, killed.err
    run = runner.start("--workers", "2")

    def rounds() -> int:
        for file in (runner.space / "training").glob("*/progress.json"):
            return len(json.loads(file.read_text())["history"].get("loss", []))
        return 0

    until(rounds, run)
    chief, other = workers_of(run)
    os.kill(other, signal.SIGKILL)
    assert run.code == 0, run.err
    logs = [log.read_text() for log in sorted((runner.space / "workers").glob("worker-*.log"))]
    assert [re.findall("attempt .", log)[-2:] for log in logs] == [["attempt 1", "attempt 2"]] * 2
    events = max(runner.space.glob("pipeline/Trainer/model_run/*/train"), key=lambda path: int(path.parent.name))
    first, second = sorted(events.glob("events*"), key=lambda path: path.name)
    assert rounds_in(first) + rounds_in(second) == list(range(ROUNDS))
    assert 0 in rounds_in(first) and rounds_in(second)


# --- a full disk ---


@pytest.fixture
def disk(mounted: Path | None) -> Path:
    if mounted is None:
        pytest.skip("needs the right to mount a tmpfs (run as root)")
    return mounted


def fill(disk: Path, room: int) -> Path:
    """Fills the disk but for so many bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - room)
    return filler


@pytest.mark.parametrize(
    ("room", "options"),
    [(0, []), (64 << 10, []), (300 << 10, ["--fresh"]), (400 << 10, [])],
)
def test_a_full_disk_is_named_and_the_served_model_stays(
    killed: Run, runner: NodeRunner, disk: Path, room: int, options: list[str]
) -> None:
    assert killed.code == 0, killed.err
    served = manifest.versions(runner.space / "serving")
    filler = fill(disk, room)
    try:
        run = runner.start("--set", "learning_rate=0.002", *options)
        assert run.code == 1, run.out
        assert run.err.startswith("error: the disk is full") and str(disk) in run.err
        assert "free some space" in run.err and "Traceback" not in run.err
    finally:
        filler.unlink()
    assert manifest.versions(runner.space / "serving") == served
    assert manifest.verify(runner.space / "serving" / str(served[-1]))["task"] == TASK


def test_with_space_again_the_run_ends_well(runner: NodeRunner, disk: Path) -> None:
    run = runner.start("--set", "learning_rate=0.002", "--json")
    assert run.code == 0, run.err
    assert json.loads(run.out)["blessed"]
    assert runner.executions(*OPEN) == []


# --- wrong use ---

HEAVY = """
import sys
from pipelines.cli import main
try:
    main(sys.argv[1:])
finally:
    print([name for name in ("tensorflow", "tfx", "apache_beam") if name in sys.modules])
"""


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_misspelt_node_is_refused_before_anything_is_imported(option: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HEAVY, "run", TASK, option, "Trainr", "--workspace", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (2, "[]\n")
    assert "'Trainr'" in ended.stderr and "did you mean Trainer?" in ended.stderr
    assert list(tmp_path.iterdir()) == []
