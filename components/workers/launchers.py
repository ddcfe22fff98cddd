"""Where training runs: in this process, or in several that train one model together.

A launcher is given a spec, the JSON-able dict that `trainer.worker` reads, and returns once training has ended well.
"""

from __future__ import annotations

import glob
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from components.workers.restarts import Failure, last_words, until_trained
from data.errors import WrongUse
from trainer import distribution

PROJECT_ROOT = Path(__file__).resolve().parents[2]
LOG_TAIL = 100_000  # bytes searched for the reason of a failure

# Stands in front of each worker's command: the kernel is to kill the worker when this process ends, even by SIGKILL.
# A `preexec_fn` could do the same, but may deadlock after a fork of a process full of Beam's and TensorFlow's threads.
# Then a check that the parent has not ended before it could be watched.
_BOUND_TO_PARENT = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(parent):
    os.execvp(command[0], command)
"""


class Launcher(Protocol):
    """Runs the training workers that a spec describes."""

    def run(self, spec: dict[str, Any], log_dir: Path) -> None:
        """Returns when training has ended well; logs of other processes go to `log_dir`.

        Raises:
          BenisonError: training failed for good.
        """
        ...


class InProcess:
    """One worker, in this process. What it raises is passed on as it is."""

    def run(self, spec: dict[str, Any], log_dir: Path) -> None:
        from trainer.worker import train

        train(spec)


@dataclass(frozen=True)
class LocalProcesses:
    """Several workers on this machine (Linux), one process each, joined over loopback.

    When one dies the others cannot go on: all are killed and started again, and resume from their last backup, by the
    rules of `restarts.until_trained`.

    No worker outlives the call, nor this process however it ends. Worker i appends to `log_dir/worker-<i>.log`.
    """

    workers: int
    max_restarts: int = 3
    # -P: a folder named `data` or `trainer` where the user stands must not be taken for ours.
    command: Sequence[str] = (sys.executable, "-P", "-m", "trainer.worker")

    def run(self, spec: dict[str, Any], log_dir: Path) -> None:
        from trainer.worker import TrainingSpec

        if self.workers < 1:
            raise WrongUse(f"{self.workers} training workers", "ask for at least one")
        log_dir.mkdir(parents=True, exist_ok=True)
        spec_file = log_dir / "spec.json"
        spec_file.write_text(json.dumps(spec), encoding="utf-8")
        progress_file = TrainingSpec(**spec).progress_file
        until_trained(lambda number: self._attempt(spec_file, log_dir, number), progress_file, self.max_restarts)

    def _attempt(self, spec_file: Path, log_dir: Path, attempt: int) -> Failure | None:
        """Runs all workers once; the first failure, or None when all ended well. None of them is left behind."""
        with ExitStack() as running:
            hosts = running.enter_context(_reserved_hosts(self.workers))
            started: list[_Worker] = []
            for index, environment in enumerate(_environments(hosts)):
                log = log_dir / f"worker-{index}.log"
                title = f"worker {index} of {self.workers}, attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')}"
                command = [*self.command, str(spec_file)]
                started.append(running.enter_context(_worker(command, environment, log, title)))
            while True:
                statuses = [worker.status() for worker in started]
                for index, status in enumerate(statuses):
                    if status:
                        return started[index].failure(f"training worker {index} of {self.workers}", status)
                alive = [worker for worker, status in zip(started, statuses, strict=True) if status is None]
                if not alive:
                    return None
                _wait_for_an_end(alive)


@dataclass(frozen=True)
class _Worker:
    process: subprocess.Popen[bytes]
    log: Path
    offset: int  # where this attempt begins in the log, in bytes

    def status(self) -> int | None:
        """Exit status, negative for a signal, None while it runs.

        The process is not reaped: its number stays its own, so that its group can be killed safely afterwards.
        """
        end = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if end is None:
            return None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def failure(self, who: str, status: int) -> Failure:
        with self.log.open("rb") as log:
            log.seek(max(self.offset, self.log.stat().st_size - LOG_TAIL))
            reason, fix = last_words(log.read().decode(errors="replace").splitlines())
        return Failure(who, status, reason, fix, self.log)


@contextmanager
def _worker(command: list[str], environment: dict[str, str], log: Path, title: str) -> Iterator[_Worker]:
    """A running process in a group of its own; the group is killed and the process reaped on leaving."""
    bound = [sys.executable, "-I", "-S", "-c", _BOUND_TO_PARENT, str(os.getpid()), *command]
    with log.open("ab") as output:
        output.write(f"=== {title}\n".encode())
        output.flush()
        process = subprocess.Popen(
            bound,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            yield _Worker(process, log, output.tell())
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for_an_end(workers: list[_Worker]) -> None:
    """Blocks until one of the processes has ended."""
    with ExitStack() as descriptors:
        ends = select.poll()
        for worker in workers:
            descriptor = os.pidfd_open(worker.process.pid)
            descriptors.callback(os.close, descriptor)
            ends.register(descriptor, select.POLLIN)
        ends.poll()


@contextmanager
def _reserved_hosts(count: int) -> Iterator[list[str]]:
    """Loopback addresses with free ports, held while the workers run.

    The sockets never listen. SO_REUSEPORT, here and in the workers (`TF_GRPC_REUSE_PORT`), lets a worker listen on
    its port beside us, while the kernel gives that port to nobody else. Without it, another process could take a port
    between our look and the worker's start.
    """
    with ExitStack() as sockets:
        hosts = []
        for _ in range(count):
            held = sockets.enter_context(socket.socket())
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("", 0))
            hosts.append(f"127.0.0.1:{held.getsockname()[1]}")
        yield hosts


def _environments(hosts: list[str]) -> Iterator[dict[str, str]]:
    """Each worker's environment: its place in the cluster, its share of the cores and of the GPUs."""
    threads = str(max(1, len(os.sched_getaffinity(0)) // len(hosts)))
    gpus = _visible_gpus()
    if gpus and len(hosts) > len(gpus):
        raise WrongUse(
            f"{len(hosts)} training workers cannot share {len(gpus)} GPU(s): each needs one of its own",
            f"use at most {len(gpus)} workers, or set CUDA_VISIBLE_DEVICES=-1 to train on the CPU",
        )
    path = os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH"))))
    for index in range(len(hosts)):
        yield {
            **os.environ,
            "TF_CONFIG": distribution.tf_config(hosts, index),
            "TF_GRPC_REUSE_PORT": "true",
            "TF_NUM_INTRAOP_THREADS": threads,
            "TF_NUM_INTEROP_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "CUDA_VISIBLE_DEVICES": ",".join(gpus[index :: len(hosts)]) or "-1",
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",
        }


def _visible_gpus() -> list[str]:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return [str(index) for index, _ in enumerate(glob.glob("/dev/nvidia[0-9]*"))]
    return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
