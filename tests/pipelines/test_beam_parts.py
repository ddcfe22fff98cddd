"""Beam in parts and in several processes: one result, and what happens when a process is killed or has no disk.

Each run is a process of its own, forked from one that has imported Beam and used nothing, as a run forks its workers.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from data.errors import BenisonError
from pipelines.console.failures import explained

servers = multiprocessing.get_context("forkserver")
servers.set_forkserver_preload(
    ["apache_beam", "components.example_gen", "pipelines.beam_parts", "pipelines.beam_workers"]
)
SECONDS = 90.0
SHARDS = 5

RUN = """
import runpy
from pathlib import Path
here = runpy.run_path(FILE)  # not by its name, which a package of others may have
here["ran"](PROCESSES, Path(FOLDER), here[STRIKE])
"""


def numbers(shard: int) -> list[float]:
    """So different in size that their sum depends on the order."""
    return [10.0 ** ((number * 7 + shard * 3) % 17) / 3 for number in range(200)]


def ran(processes: int, folder: Path, strike: Callable[[int], Any]) -> None:
    """Sums numbers shard by shard and writes them to a file a shard, in so many processes; `strike` is called in each.

    Leaves in `folder` the sum, the files, the processes' ids, and what the failure was if there was one.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.example_gen import _Shards
    from pipelines.beam import BEAM_ARGS, refusal_in
    from pipelines.beam_parts import read_in_parts
    from pipelines.beam_workers import forked

    def read(shard: int) -> Iterator[float]:
        (folder / f"{os.getpid()}.pid").touch()
        yield from numbers(shard)
        strike(shard)

    read_in_parts()
    try:
        with forked(processes), beam.Pipeline(options=PipelineOptions(BEAM_ARGS)) as pipeline:
            found = pipeline | beam.io.Read(_Shards(range(SHARDS))) | beam.FlatMap(read)
            _ = found | beam.Map(repr) | beam.io.WriteToText(str(folder / "numbers"))
            total = found | beam.CombineGlobally(sum).with_fanout(10) | beam.Map(float.hex)
            _ = total | "WriteSum" >> beam.io.WriteToText(str(folder / "sum"), shard_name_template="")
    except BaseException as error:
        message, fix = explained((refusal_in(error) if isinstance(error, Exception) else None) or error)
        (folder / "failure").write_text(json.dumps([type(error).__name__, message, fix]))


def go_on(shard: int) -> None:
    pass


def start(processes: int, folder: Path, strike: Callable[[int], Any] = go_on) -> ForkServerProcess:
    folder.mkdir()
    told = {"FILE": __file__, "PROCESSES": processes, "FOLDER": str(folder), "STRIKE": strike.__name__}
    process = servers.Process(target=exec, args=(RUN, told))
    process.start()
    return process


def left(folder: Path) -> dict[str, Any]:
    """What a run that has ended left, once none of its processes runs any more."""
    until(lambda: not any(Path("/proc", file.stem).exists() for file in folder.glob("*.pid")))
    failure = folder / "failure"
    return {
        "sum": (folder / "sum").read_text() if (folder / "sum").exists() else None,
        "numbers": [file.read_text() for file in sorted(folder.glob("numbers-*"))],
        "processes": {int(file.stem) for file in folder.glob("*.pid")},
        "failure": json.loads(failure.read_text()) if failure.exists() else None,
    }


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_any_number_of_processes_leaves_the_same(tmp_path: Path) -> None:
    runs = {processes: start(processes, tmp_path / str(processes)) for processes in (1, 2, 3)}
    found = {}
    for processes, run in runs.items():
        run.join(SECONDS)
        found[processes] = left(tmp_path / str(processes))
        assert found[processes]["failure"] is None
    assert found[1]["processes"] == {runs[1].pid}
    assert all(1 < len(found[n]["processes"]) <= n and runs[n].pid not in found[n]["processes"] for n in (2, 3))
    assert found[1]["sum"] == found[2]["sum"] == found[3]["sum"]
    assert found[1]["numbers"] == found[2]["numbers"] == found[3]["numbers"]
    wanted = ["".join(f"{number!r}\n" for number in numbers(shard)) for shard in range(SHARDS)]
    assert found[1]["numbers"] == wanted, "a file for each part, in the order of the parts"


def be_killed(shard: int) -> None:
    if shard == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def have_no_room(shard: int) -> None:
    if shard == 2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refuse(shard: int) -> None:
    if shard == 2:
        raise BenisonError("two is too much", "leave it")


def wait(shard: int) -> None:
    threading.Event().wait()


@pytest.mark.parametrize(
    ("strike", "message", "fix"),
    [
        (be_killed, "a worker process was killed before its work was done", "--set beam.workers=1"),
        (have_no_room, "the disk is full", "free some space"),
        (refuse, "two is too much", "leave it"),
    ],
)
def test_what_goes_wrong_in_a_worker_is_told_and_nothing_runs_on(
    tmp_path: Path, strike: Callable[[int], Any], message: str, fix: str
) -> None:
    run = start(2, tmp_path / "run", strike)
    run.join(SECONDS)
    found = left(tmp_path / "run")
    assert found["sum"] is None and found["failure"] is not None
    assert message in found["failure"][1] and fix in found["failure"][2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_of_the_run_is_an_end_of_its_workers(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "run"
    run = start(2, folder, wait)
    until(lambda: len(list(folder.glob("*.pid"))) == 2)
    os.kill(run.pid, number)
    run.join(SECONDS)
    found = left(folder)
    assert found["sum"] is None
    assert (found["failure"] or ["", ""])[1] == ("interrupted" if number == signal.SIGINT else "")


def test_memory_that_is_short_means_fewer_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import beam_workers

    server = object.__new__(beam_workers.ForkServer)  # forks nothing
    server.processes = 8
    free = {0: 1, 3 * beam_workers.WORKER_BYTES: 1, 7 * beam_workers.WORKER_BYTES: 3, 1 << 40: 8}
    for memory, processes in free.items():
        monkeypatch.setattr(beam_workers, "free_memory", lambda memory=memory: memory)
        assert server.processes_now() == processes


def test_a_process_in_which_tensorflow_has_started_computes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import beam_workers

    monkeypatch.setattr(beam_workers, "tensorflow_runs", lambda: True)
    with beam_workers.forked(4):
        assert beam_workers.current() is None
